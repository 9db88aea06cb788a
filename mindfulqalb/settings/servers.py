"""Django's applications, and the servers that they need."""

from __future__ import annotations

from mindfulqalb.settings.runtime import BASE_DIR, DEVELOPMENT, SITE_URL, env, problems

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
    "mindfulqalb.observability",
    "mindfulqalb.encryption",
    "mindfulqalb.audit",
    "mindfulqalb.retention",
    "mindfulqalb.subject_requests",
    "mindfulqalb.outbox",
    "mindfulqalb.bulk_actions",
    "mindfulqalb.webhooks",
    "mindfulqalb.mail",
    "mindfulqalb.idempotency",
    "mindfulqalb.languages",
    "mindfulqalb.operations",
    "mindfulqalb.catalogue",
    "payments",
    "payments.receipts",
    "consent",
    "bookings",
]
if DEVELOPMENT:
    INSTALLED_APPS += ["mindfulqalb.development"]

# What /readyz asks besides the servers: `mindfulqalb.observability.health.Check` objects.
HEALTH_CHECKS = ["bookings.health.AGREEMENT"]

MIDDLEWARE = [
    "mindfulqalb.observability.request_ids.RequestIdMiddleware",
    "mindfulqalb.observability.middleware.ObservingMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "mindfulqalb.staff.middleware.BackOfficeReferrerMiddleware",
    "mindfulqalb.staff.middleware.BackOfficeClockMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "mindfulqalb.languages.middleware.LanguageMiddleware",
    "mindfulqalb.api.middleware.BodyLimitMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mindfulqalb.staff.middleware.BackOfficeSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "mindfulqalb.api.middleware.RateLimitMiddleware",
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
servers = {"DATABASE_URL": DATABASE_URL, "REDIS_URL": REDIS_URL, "SITE_URL": SITE_URL}
problems += [f"{name} is missing" for name, value in servers.items() if not value]

DATABASES = {"default": env.db_url_config(DATABASE_URL or _EMBEDDED_DATABASE)}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONNECTION_SECONDS", 60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
# Backups: a pooler cannot serve them.
DATABASE_DIRECT_URL = env.str("DATABASE_DIRECT_URL", "")
DATABASE_DIRECT = env.db_url_config(DATABASE_DIRECT_URL) if DATABASE_DIRECT_URL else {}
POSTGRES_PROGRAMS = env.str("POSTGRES_PROGRAMS", "")
# PgBouncer in transaction mode keeps no session between two statements.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "mindfulqalb.redis_cache.FrugalRedisCache",
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
# A worker that ends is granted so much: longer than CALENDAR_WORKER_TIMEOUT, shorter than its supervisor's patience.
WORKER_STOP_SECONDS = env.float("WORKER_STOP_SECONDS", 50.0)
