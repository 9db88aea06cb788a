"""Cal.com."""

from __future__ import annotations

from mindfulqalb.settings.runtime import SANDBOX, env
from mindfulqalb.settings.secret_keys import secret

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
CALCOM_API_KEY = secret("CALCOM_API_KEY", minimum_length=12)
CALCOM_USERNAME = env.str("CALCOM_USERNAME", "mindfulqalb")
# Keys are `individual` (all its formats) or `individual-video` (just that one).
CALCOM_EVENT_TYPE_IDS = env.json("CALCOM_EVENT_TYPE_IDS", default={}) or (SANDBOX_EVENT_TYPE_IDS if SANDBOX else {})
CALCOM_WEBHOOK_SECRET = secret("CALCOM_WEBHOOK_SECRET", minimum_length=16)
CALCOM_WEBHOOK_SECRET_FALLBACKS = env.list("CALCOM_WEBHOOK_SECRET_FALLBACKS", default=[])
# 2026-02-25 is known to the hosted service only; a self-hosted one would fall back to another endpoint shape in
# silence.
CALCOM_BOOKINGS_VERSION = env.str("CALCOM_BOOKINGS_VERSION", "2024-08-13")
CALCOM_SLOTS_VERSION = env.str("CALCOM_SLOTS_VERSION", "2024-09-04")
# Cal.com allows 120 a minute and key, and shuts out for a minute whoever makes one more.
CALCOM_CALLS_PER_MINUTE = env.int("CALCOM_CALLS_PER_MINUTE", 100)
