"""The mail server."""

from __future__ import annotations

from mindfulqalb.settings.practice import PRACTICE_EMAIL, PRACTICE_NAME
from mindfulqalb.settings.runtime import SANDBOX, env, problems

# --- Mail -------------------------------------------------------------------------------------------------------------

SANDBOX_SMTP_PORT = env.int("SANDBOX_SMTP_PORT", 8125)
EMAIL_HOST = env.str("EMAIL_HOST", "") or ("127.0.0.1" if SANDBOX else "")
EMAIL_PORT = env.int("EMAIL_PORT", SANDBOX_SMTP_PORT if SANDBOX else 587)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", not SANDBOX)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", 10)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", f"{PRACTICE_NAME} <{PRACTICE_EMAIL}>")
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", "")
BOUNCE_IMAP_URL = env.str("BOUNCE_IMAP_URL", "")
if not EMAIL_HOST:
    problems.append("EMAIL_HOST is missing")
