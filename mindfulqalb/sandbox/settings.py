"""Django's settings for the sandbox: no database, no applications, templates and static files of its own."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent

SECRET_KEY = "the-sandbox-signs-nothing-with-this"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "mindfulqalb.sandbox.urls"
INSTALLED_APPS: list[str] = []
MIDDLEWARE = ["mindfulqalb.sandbox.browser.security_headers"]
APPEND_SLASH = False
USE_TZ = True
TIME_ZONE = "UTC"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {
        # A 4xx is the stand-in's normal life; its call log shows it.
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
    },
}
