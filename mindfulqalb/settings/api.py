"""The API: what it accepts, from whom, how often."""

from __future__ import annotations

from mindfulqalb.api.schema import SECURITY_SCHEMES
from mindfulqalb.settings.runtime import env

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
        "bookings.next_calls.describe_links",
    ],
    "APPEND_COMPONENTS": {"securitySchemes": SECURITY_SCHEMES},
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "deepLinking": False},
}
# Requests per caller and kind of call: N/s, N/m, N/h or N/d. A variable changes those that it names.
RATE_LIMITS = {
    "read": "240/m",
    "page": "240/m",
    "availability": "120/m",
    "consent": "30/m",
    "booking": "30/m",
    "payment": "30/m",
    "webhook": "15000/m",
    "email": "30/m",
    "email_anywhere": "120/m",
    "login": "30/m",
    "account": "10/m",
    "staff": "600/m",
} | env.json("RATE_LIMITS", default={})
API_BODY_LIMIT = env.int("API_BODY_LIMIT", 64 * 1024)
WEBHOOK_BODY_LIMIT = env.int("WEBHOOK_BODY_LIMIT", 1024 * 1024)
# No thread waits meanwhile.
BODY_SECONDS = env.float("BODY_SECONDS", 30.0)
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
RATELIMIT_USE_CACHE = "default"
SILENCED_SYSTEM_CHECKS = [
    "django_ratelimit.W001",  # Django's own Redis cache counts atomically; it is merely not on their list
    "security.W009",  # wants 50 characters; a key of 256 bits has 43, and secret_keys.py refuses weak ones
]

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
