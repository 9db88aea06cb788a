"""How staff come in, and for how long."""

from __future__ import annotations

from mindfulqalb.settings.runtime import DEVELOPMENT, env

# --- Staff ------------------------------------------------------------------------------------------------------------

# Without it a stolen password opens every client's record.
STAFF_SECOND_FACTOR_REQUIRED = env.bool("STAFF_SECOND_FACTOR_REQUIRED", not DEVELOPMENT)
STAFF_IDLE_MINUTES = env.int("STAFF_IDLE_MINUTES", 30)
STAFF_ACCESS_TOKEN_MINUTES = env.int("STAFF_ACCESS_TOKEN_MINUTES", 10)
STAFF_REFRESH_TOKEN_DAYS = env.int("STAFF_REFRESH_TOKEN_DAYS", 14)
LOGIN_REDIRECT_URL = "/admin/"  # of whoever asks to be sent to another site
SESSION_ENGINE = "mindfulqalb.staff.sessions"
SESSION_COOKIE_AGE = STAFF_IDLE_MINUTES * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = False
