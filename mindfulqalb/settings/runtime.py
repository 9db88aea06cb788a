"""What runs here, and the environment that says so."""

from __future__ import annotations

import os
from pathlib import Path

import django_stubs_ext
import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / ".data")


class VariablesAndFiles(FileAwareMapping):  # type: ignore[misc]  # it has no types
    """The environment; NAME_FILE names a file that holds NAME, and wins: so Docker and systemd hand out secrets."""

    def __getitem__(self, name: str) -> str:
        """Read one, without the line's end that editors and `openssl` leave in files."""
        try:
            return str(super().__getitem__(name)).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from None


class Environment(environ.Env):  # type: ignore[misc]  # it has no types
    """What the settings are read from."""

    ENVIRON = VariablesAndFiles()


env = Environment()
# Variables that are set already win over both files.
env.read_env(BASE_DIR / ".env")
if os.environ.get("ENVIRONMENT") == "development":
    env.read_env(DATA_DIR / "development.env")  # written by `manage.py dev`: where its own servers listen

problems: list[str] = []  # why production must not start; settings/__init__.py names them all at once

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
# Of one web process: times processes times replicas they must stay below what PostgreSQL accepts. More than
# CALENDAR_REQUEST_CALLS, or slow calendar calls leave none to answer anything else.
WEB_THREADS = env.int("WEB_THREADS", 8)
SITE_URL = env.str("SITE_URL", "").rstrip("/") or (f"http://127.0.0.1:{WEB_PORT}" if DEVELOPMENT else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if DEVELOPMENT else [])
