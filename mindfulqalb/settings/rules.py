"""The rules of booking, and of the work behind it."""

from __future__ import annotations

from mindfulqalb.settings.runtime import env

# --- Booking rules ----------------------------------------------------------------------------------------------------

HOLD_MINUTES = env.int("HOLD_MINUTES", 15)
# How long money without a session waits for the client to choose another time, before it goes back by itself.
PAYMENT_CREDIT_HOURS = env.int("PAYMENT_CREDIT_HOURS", 72)
HOLDS_PER_EMAIL = env.int("HOLDS_PER_EMAIL", 2)
HOLDS_PER_EMAIL_ANYWHERE = env.int("HOLDS_PER_EMAIL_ANYWHERE", 8)
HOLDS_PER_ADDRESS = env.int("HOLDS_PER_ADDRESS", 10)
FREE_CALLS_PER_ADDRESS = env.int("FREE_CALLS_PER_ADDRESS", 3)
BOOKING_HORIZON_DAYS = env.int("BOOKING_HORIZON_DAYS", 60)
# Nobody is written to at night without need: a day's reminder that would fall between these hours of the client's
# clock goes in the evening before.
QUIET_FROM_HOUR = env.int("QUIET_FROM_HOUR", 21)
QUIET_UNTIL_HOUR = env.int("QUIET_UNTIL_HOUR", 8)
CONSENT_VALID_DAYS = env.int("CONSENT_VALID_DAYS", 365)
CONSENT_UNKNOWN_VERSION = env.str("CONSENT_UNKNOWN_VERSION", "refuse")  # or "flag": keep it, marked

# --- Retention --------------------------------------------------------------------------------------------------------

# Whose laws say how long what is kept (IN, EU, US); of several the longest.
RETENTION_JURISDICTIONS = env.list("RETENTION_JURISDICTIONS", default=["IN"])
# Copies of what purges leave behind, so that a restored backup can be purged again.
RETENTION_TOMBSTONE_DIRECTORY = env.str("RETENTION_TOMBSTONE_DIRECTORY", "")

# --- Availability cache (seconds) -------------------------------------------------------------------------------------

AVAILABILITY_FRESH_SECONDS = env.int("AVAILABILITY_FRESH_SECONDS", 60)
# An older one is shown at once while a new one is fetched behind it; beyond this, only when the calendar is silent.
AVAILABILITY_USABLE_SECONDS = env.int("AVAILABILITY_USABLE_SECONDS", 300)
AVAILABILITY_STALE_SECONDS = env.int("AVAILABILITY_STALE_SECONDS", 3600)
AVAILABILITY_REFILL_SECONDS = env.int("AVAILABILITY_REFILL_SECONDS", 15)

# --- Outbox -----------------------------------------------------------------------------------------------------------

OUTBOX_SWEEP_SECONDS = env.float("OUTBOX_SWEEP_SECONDS", 15.0)
# Longer than the slowest handler: a calendar call looks, books and looks again.
OUTBOX_LEASE_SECONDS = env.int("OUTBOX_LEASE_SECONDS", 120)
OUTBOX_MAX_ATTEMPTS = env.int("OUTBOX_MAX_ATTEMPTS", 20)
# A calendar booking is tried in the request first; the worker takes over when that has not come to an end by then.
CALENDAR_TAKEOVER_SECONDS = env.int("CALENDAR_TAKEOVER_SECONDS", 30)
# After an unanswered call, how long until what it may have written can be trusted to be visible.
CALENDAR_LOOK_AGAIN_SECONDS = env.int("CALENDAR_LOOK_AGAIN_SECONDS", 30)
