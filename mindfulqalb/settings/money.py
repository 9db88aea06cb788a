"""The gateways, and how long a vendor may take."""

from __future__ import annotations

from mindfulqalb.settings.calendar import SANDBOX_URL
from mindfulqalb.settings.runtime import SANDBOX, env
from mindfulqalb.settings.secret_keys import secret

# --- Razorpay and Stripe: the money -----------------------------------------------------------------------------------

RAZORPAY_API_URL = env.str("RAZORPAY_API_URL", f"{SANDBOX_URL}/razorpay" if SANDBOX else "https://api.razorpay.com")
RAZORPAY_KEY_ID = secret("RAZORPAY_KEY_ID", minimum_length=12)
RAZORPAY_KEY_SECRET = secret("RAZORPAY_KEY_SECRET", minimum_length=16)
RAZORPAY_WEBHOOK_SECRET = secret("RAZORPAY_WEBHOOK_SECRET", minimum_length=16)
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
STRIPE_SECRET_KEY = secret("STRIPE_SECRET_KEY", minimum_length=16)
STRIPE_WEBHOOK_SECRET = secret("STRIPE_WEBHOOK_SECRET", minimum_length=16)
STRIPE_WEBHOOK_SECRET_FALLBACKS = env.list("STRIPE_WEBHOOK_SECRET_FALLBACKS", default=[])
# Where Stripe may send a client back to; our own pages always may.
CHECKOUT_RETURN_ORIGINS = env.list("CHECKOUT_RETURN_ORIGINS", default=[])

# Seconds to connect and seconds between two bytes of an answer.
VENDOR_TIMEOUT = (env.float("VENDOR_CONNECT_TIMEOUT", 3.05), env.float("VENDOR_READ_TIMEOUT", 10.0))
# Cal.com takes its time over calendars and video rooms; a booking in the worker may wait, one in a request may not.
CALENDAR_WORKER_TIMEOUT = env.float("CALENDAR_WORKER_TIMEOUT", 30.0)
CALENDAR_REQUEST_DEADLINE = env.float("CALENDAR_REQUEST_DEADLINE", 8.0)
CALENDAR_REQUEST_CALLS = env.int("CALENDAR_REQUEST_CALLS", 4)
