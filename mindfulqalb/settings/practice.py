"""The practice: its name, place and helplines."""

from __future__ import annotations

from mindfulqalb.settings.runtime import env

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
