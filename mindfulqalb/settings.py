"""Every setting, in reading order. The environment decides; `.env.example` mirrors this file, name for name."""

from __future__ import annotations

import os
from pathlib import Path

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from mindfulqalb.observability.logging import logging_config
from mindfulqalb.secret_strength import DEVELOPMENT_SECRETS, SANDBOX_SECRETS, weakness

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data")

env = environ.Env()
# Variables that are set already win over both files.
env.read_env(BASE_DIR / ".env")
if os.environ.get("ENVIRONMENT") == "development":
    env.read_env(DATA_DIR / "development.env")  # written by `manage.py dev`: where its own servers listen

# --- What runs here ---------------------------------------------------------------------------------------------------

# "production" unless told otherwise: forgetting a variable must not open a door.
ENVIRONMENT = env.str("ENVIRONMENT", "production")
if ENVIRONMENT not in {"production", "development"}:
    raise ImproperlyConfigured(f"ENVIRONMENT must be production or development, not {ENVIRONMENT!r}")
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = False  # never: its pages show personal data; development reads the log instead

# "sandbox" plays Cal.com, Razorpay, Stripe and the mail server on this machine; "live" calls them. Never a mixture.
VENDORS = env.str("VENDORS", "sandbox" if DEVELOPMENT else "live")
SANDBOX = VENDORS == "sandbox"

WEB_PORT = env.int("WEB_PORT", 8000)
SITE_URL = env.str("SITE_URL", "").rstrip("/") or (f"http://127.0.0.1:{WEB_PORT}" if DEVELOPMENT else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEVELOPMENT else [])

# --- Secrets ----------------------------------------------------------------------------------------------------------

_problems: list[str] = []


def _secret(name: str, *, minimum_length: int = 32) -> str:
    """Read one secret; in production, note why it is unfit. Development and sandbox fall back on published ones."""
    published = (DEVELOPMENT_SECRETS if DEVELOPMENT else {}) | (SANDBOX_SECRETS if SANDBOX else {})
    # Empty is not set: so they stand in .env.example.
    value: str = env.str(name, "") or published.get(name, "")
    problem = None if DEVELOPMENT else weakness(name, value, minimum_length=minimum_length)
    if problem:
        _problems.append(problem)
    return value


SECRET_KEY = _secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
JWT_SECRET = _secret("JWT_SECRET")
ENCRYPTION_KEY = _secret("ENCRYPTION_KEY")
ENCRYPTION_KEY_FALLBACKS = env.list("ENCRYPTION_KEY_FALLBACKS", default=[])
BLIND_INDEX_KEY = _secret("BLIND_INDEX_KEY")
BLIND_INDEX_KEY_FALLBACKS = env.list("BLIND_INDEX_KEY_FALLBACKS", default=[])

# --- The practice -----------------------------------------------------------------------------------------------------

PRACTICE_NAME = env.str("PRACTICE_NAME", "MindfulQALB")
PRACTICE_TIME_ZONE = env.str("PRACTICE_TIME_ZONE", "Asia/Kolkata")
PRACTICE_REGION = env.str("PRACTICE_REGION", "IN")  # how a phone number without country code is read
PRACTICE_EMAIL = env.str("PRACTICE_EMAIL", "care@mindfulqalb.com")
# Shown on every page and in every mail: a client may be in distress.
HELPLINES = env.json(
    "HELPLINES",
    default=[
        {"name": "Tele-MANAS (24 hours, free)", "phone": "14416"},
        {"name": "Tele-MANAS, second line", "phone": "1800-891-4416"},
        {"name": "Emergency", "phone": "112"},
    ],
)

# --- Cal.com: the therapist's calendar --------------------------------------------------------------------------------

SANDBOX_PORT = env.int("SANDBOX_PORT", 8100)
SANDBOX_URL = env.str("SANDBOX_URL", f"http://127.0.0.1:{SANDBOX_PORT}")
SANDBOX_EVENT_TYPE_IDS = {
    "individual-chat": "101",
    "individual-audio": "102",
    "individual-video": "103",
    "couples-audio": "201",
    "couples-video": "202",
    "family-audio": "301",
    "family-video": "302",
    "free": "401",
}

CALCOM_API_URL = env.str("CALCOM_API_URL", f"{SANDBOX_URL}/calcom" if SANDBOX else "https://api.cal.com")
CALCOM_WEB_URL = env.str("CALCOM_WEB_URL", f"{SANDBOX_URL}/calcom" if SANDBOX else "https://app.cal.com")
CALCOM_API_KEY = _secret("CALCOM_API_KEY", minimum_length=12)
CALCOM_USERNAME = env.str("CALCOM_USERNAME", "mindfulqalb")
# Keys are `individual` (all its formats) or `individual-video` (just that one).
CALCOM_EVENT_TYPE_IDS = env.json("CALCOM_EVENT_TYPE_IDS", default={}) or (SANDBOX_EVENT_TYPE_IDS if SANDBOX else {})
CALCOM_WEBHOOK_SECRET = _secret("CALCOM_WEBHOOK_SECRET", minimum_length=16)
CALCOM_WEBHOOK_SECRET_FALLBACKS = env.list("CALCOM_WEBHOOK_SECRET_FALLBACKS", default=[])
# 2026-02-25 is known to the hosted service only; a self-hosted one would fall back to another endpoint shape in
# silence.
CALCOM_BOOKINGS_VERSION = env.str("CALCOM_BOOKINGS_VERSION", "2024-08-13")
CALCOM_SLOTS_VERSION = env.str("CALCOM_SLOTS_VERSION", "2024-09-04")

# --- Razorpay and Stripe: the money -----------------------------------------------------------------------------------

RAZORPAY_API_URL = env.str("RAZORPAY_API_URL", f"{SANDBOX_URL}/razorpay" if SANDBOX else "https://api.razorpay.com")
RAZORPAY_KEY_ID = _secret("RAZORPAY_KEY_ID", minimum_length=12)
RAZORPAY_KEY_SECRET = _secret("RAZORPAY_KEY_SECRET", minimum_length=16)
RAZORPAY_WEBHOOK_SECRET = _secret("RAZORPAY_WEBHOOK_SECRET", minimum_length=16)
# Vendors go on signing retries of older events with the secret before the last change.
RAZORPAY_WEBHOOK_SECRET_FALLBACKS = env.list("RAZORPAY_WEBHOOK_SECRET_FALLBACKS", default=[])
RAZORPAY_CHECKOUT_SCRIPT_URL = env.str(
    "RAZORPAY_CHECKOUT_SCRIPT_URL",
    f"{SANDBOX_URL}/razorpay/checkout.js" if SANDBOX else "https://checkout.razorpay.com/v1/checkout.js",
)
# What the booking page may load, frame and call besides itself, for the checkout dialog only: the dialog's script
# fetches its risk check from the CDN and reports to the last two.
RAZORPAY_CSP_SOURCES = env.list(
    "RAZORPAY_CSP_SOURCES",
    default=[SANDBOX_URL]
    if SANDBOX
    else [
        "https://checkout.razorpay.com",
        "https://api.razorpay.com",
        "https://cdn.razorpay.com",
        "https://lumberjack.razorpay.com",
        "https://lumberjack-metrics.razorpay.com",
    ],
)
STRIPE_API_URL = env.str("STRIPE_API_URL", f"{SANDBOX_URL}/stripe" if SANDBOX else "https://api.stripe.com")
STRIPE_SECRET_KEY = _secret("STRIPE_SECRET_KEY", minimum_length=16)
STRIPE_WEBHOOK_SECRET = _secret("STRIPE_WEBHOOK_SECRET", minimum_length=16)
STRIPE_WEBHOOK_SECRET_FALLBACKS = env.list("STRIPE_WEBHOOK_SECRET_FALLBACKS", default=[])
# Where Stripe may send a client back to; our own pages always may.
CHECKOUT_RETURN_ORIGINS = env.list("CHECKOUT_RETURN_ORIGINS", default=[])

# Seconds to connect and seconds between two bytes of an answer.
VENDOR_TIMEOUT = (env.float("VENDOR_CONNECT_TIMEOUT", 3.05), env.float("VENDOR_READ_TIMEOUT", 10.0))
# Cal.com takes its time over calendars and video rooms; a booking in the worker may wait, one in a request may not.
CALENDAR_WORKER_TIMEOUT = env.float("CALENDAR_WORKER_TIMEOUT", 30.0)
CALENDAR_REQUEST_DEADLINE = env.float("CALENDAR_REQUEST_DEADLINE", 8.0)
CALENDAR_REQUEST_CALLS = env.int("CALENDAR_REQUEST_CALLS", 4)

# --- Booking rules ----------------------------------------------------------------------------------------------------

HOLD_MINUTES = env.int("HOLD_MINUTES", 15)
# How long money without a session waits for the client to choose another time, before it goes back by itself.
PAYMENT_CREDIT_HOURS = env.int("PAYMENT_CREDIT_HOURS", 72)
HOLDS_PER_EMAIL = env.int("HOLDS_PER_EMAIL", 2)
HOLDS_PER_ADDRESS = env.int("HOLDS_PER_ADDRESS", 10)
BOOKING_HORIZON_DAYS = env.int("BOOKING_HORIZON_DAYS", 60)
CONSENT_VALID_DAYS = env.int("CONSENT_VALID_DAYS", 365)
CONSENT_RETENTION_DAYS = env.int("CONSENT_RETENTION_DAYS", 7 * 365)
CONSENT_UNKNOWN_VERSION = env.str("CONSENT_UNKNOWN_VERSION", "refuse")  # or "flag": keep it, marked

# --- Availability cache (seconds) -------------------------------------------------------------------------------------

AVAILABILITY_FRESH_SECONDS = env.int("AVAILABILITY_FRESH_SECONDS", 60)
AVAILABILITY_STALE_SECONDS = env.int("AVAILABILITY_STALE_SECONDS", 3600)

# --- Outbox -----------------------------------------------------------------------------------------------------------

OUTBOX_SWEEP_SECONDS = env.float("OUTBOX_SWEEP_SECONDS", 15.0)
# Longer than the slowest handler: a calendar call looks, books and looks again.
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", 120)
OUTBOX_MAX_ATTEMPTS = env.int("OUTBOX_MAX_ATTEMPTS", 20)
# A calendar booking is tried in the request first; the worker takes over when that has not come to an end by then.
CALENDAR_TAKEOVER_SECONDS = env.int("CALENDAR_TAKEOVER_SECONDS", 30)
# After an unanswered call, how long until what it may have written can be trusted to be visible.
CALENDAR_LOOK_AGAIN_SECONDS = env.int("CALENDAR_LOOK_AGAIN_SECONDS", 30)

# --- Applications -----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "mindfulqalb.staff.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "corsheaders",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "mindfulqalb.staff.apps.StaffConfig",
    "mindfulqalb.encryption",
    "mindfulqalb.audit",
    "mindfulqalb.outbox",
    "mindfulqalb.webhooks",
    "mindfulqalb.mail",
    "mindfulqalb.idempotency",
    "mindfulqalb.catalogue",
    "payments",
    "consent",
    "bookings",
]
if DEVELOPMENT:
    INSTALLED_APPS += ["mindfulqalb.development"]

MIDDLEWARE = [
    "mindfulqalb.observability.request_ids.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "mindfulqalb.api.middleware.BodyLimitMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "mindfulqalb.urls"
WSGI_APPLICATION = "mindfulqalb.wsgi.application"
AUTH_USER_MODEL = "staff.StaffMember"
APPEND_SLASH = False  # the contract's paths have none, and a redirected POST loses its body

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mindfulqalb.catalogue.practice.practice",
            ],
        },
    },
]

# --- Databases, cache, broker -----------------------------------------------------------------------------------------

EMBEDDED_POSTGRES_PORT = env.int("EMBEDDED_POSTGRES_PORT", 54320)
EMBEDDED_REDIS_PORT = env.int("EMBEDDED_REDIS_PORT", 63790)
_EMBEDDED_DATABASE = f"postgresql://mindfulqalb@127.0.0.1:{EMBEDDED_POSTGRES_PORT}/mindfulqalb"
_EMBEDDED_REDIS = f"redis://127.0.0.1:{EMBEDDED_REDIS_PORT}/0"

DATABASE_URL = env.str("DATABASE_URL", _EMBEDDED_DATABASE if DEVELOPMENT else "")
REDIS_URL = env.str("REDIS_URL", _EMBEDDED_REDIS if DEVELOPMENT else "")
_problems += [f"{name} is missing" for name in ("DATABASE_URL", "REDIS_URL", "SITE_URL") if not globals()[name]]

DATABASES = {"default": env.db_url_config(DATABASE_URL or _EMBEDDED_DATABASE)}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONNECTION_SECONDS", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# PgBouncer in transaction mode keeps no session between two statements.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL or _EMBEDDED_REDIS,
        # A hung Redis costs half a second, not a request.
        "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        "KEY_PREFIX": "mindfulqalb",
    }
}

CELERY_BROKER_URL = REDIS_URL or _EMBEDDED_REDIS
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"

# --- The API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # Public calls have no authentication classes: a stale token must never break a booking.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    # A browser's fetch() without a Content-Type sends text/plain, and the specification's own example does that.
    "DEFAULT_PARSER_CLASSES": [
        "mindfulqalb.api.parsers.StrictJSONParser",
        "mindfulqalb.api.parsers.PlainTextJSONParser",
    ],
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "mindfulqalb.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MindfulQALB API",
    "DESCRIPTION": "Availability, payment, booking and consent for an online therapy practice.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mindfulqalb.api.schema.describe_errors",
    ],
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "deepLinking": False},
}
# Requests per caller and kind of call: N/s, N/m, N/h or N/d. A variable changes those that it names.
RATE_LIMITS = {
    "read": "240/m",
    "availability": "120/m",
    "consent": "30/m",
    "booking": "30/m",
    "payment": "30/m",
    "webhook": "6000/m",
    "email": "30/m",
} | env.json("RATE_LIMITS", default={})
# How many proxies stand in front of us. They must drop header names with underscores: nobody here can tell
# X_Forwarded_For from X-Forwarded-For any more.
API_BODY_LIMIT = env.int("API_BODY_LIMIT", 64 * 1024)
WEBHOOK_BODY_LIMIT = env.int("WEBHOOK_BODY_LIMIT", 1024 * 1024)
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
RATELIMIT_USE_CACHE = "default"
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001"
]  # Django's own Redis cache counts atomically; it is merely not on their list

CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "x-request-id",
    "x-logrocket-url",
]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID"]

# --- Browser boundary -------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "mindfulqalb.api.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
if not DEVELOPMENT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^api/health$"]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_SUBDOMAINS", True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Language, time, static files -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("hi", _("Hindi"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEVELOPMENT
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEVELOPMENT

# --- Mail -------------------------------------------------------------------------------------------------------------

SANDBOX_SMTP_PORT = env.int("SANDBOX_SMTP_PORT", 8125)
EMAIL_HOST = env.str("EMAIL_HOST", "") or ("127.0.0.1" if SANDBOX else "")
EMAIL_PORT = env.int("EMAIL_PORT", SANDBOX_SMTP_PORT if SANDBOX else 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", not SANDBOX)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"{PRACTICE_NAME} <{PRACTICE_EMAIL}>")
if not EMAIL_HOST:
    _problems.append("EMAIL_HOST is missing")

# --- Logs -------------------------------------------------------------------------------------------------------------

LOGGING = logging_config(json=env.bool("LOG_JSON", not DEVELOPMENT))

# --- Refuse to start half-configured ----------------------------------------------------------------------------------

if not DEVELOPMENT and VENDORS != "live":
    _problems.append("VENDORS must be live in production")
if VENDORS not in {"live", "sandbox"}:
    _problems.append("VENDORS must be live or sandbox")
if not CALCOM_EVENT_TYPE_IDS:
    _problems.append("CALCOM_EVENT_TYPE_IDS is missing")
if not DEVELOPMENT and not ALLOWED_HOSTS:
    _problems.append("ALLOWED_HOSTS is missing")
if _problems:
    raise ImproperlyConfigured(
        f"MindfulQALB cannot start in {ENVIRONMENT}: " + "; ".join(_problems) + ". See .env.example."
    )
