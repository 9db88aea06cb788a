"""What makes a secret fit for production, and the published ones that are not."""

from __future__ import annotations

import math
from collections import Counter

# Known to everybody who reads this repository: good for one developer's machine, refused in production.
DEVELOPMENT_SECRETS = {
    "SECRET_KEY": "development-only-secret-key-that-production-refuses-to-start-with",
    "JWT_SECRET": "development-only-jwt-secret-that-production-refuses-to-start-with",
    "ENCRYPTION_KEY": "ZGV2ZWxvcG1lbnQtb25seS1lbmNyeXB0aW9uLWtleSE=",
    "BLIND_INDEX_KEY": "ZGV2ZWxvcG1lbnQtb25seS1ibGluZC1pbmRleC1rZXk=",
    "AUDIT_SIGNING_KEY": "ZGV2ZWxvcG1lbnQtb25seS1hdWRpdC1zaWduLWtleSE=",
}
SANDBOX_SECRETS = {
    "CALCOM_API_KEY": "cal_sandbox",
    "CALCOM_WEBHOOK_SECRET": "whsec_sandbox_calcom",
    "RAZORPAY_KEY_ID": "rzp_test_sandbox",
    "RAZORPAY_KEY_SECRET": "rzp_sandbox_secret",
    "RAZORPAY_WEBHOOK_SECRET": "whsec_sandbox_razorpay",
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_WEBHOOK_SECRET": "whsec_sandbox_stripe",
}
PLACEHOLDERS = {"your-jwt-secret", "your-encryption-key", "change-me", "changeme", "secret", "xxxxxxxxxxxxx"}

LEAST_BITS_PER_CHARACTER = 2.5


def weakness(name: str, value: str, *, minimum_length: int) -> str | None:
    """Say why `value` must not guard production, or None when it may."""
    if not value:
        return f"{name} is missing"
    published = {*DEVELOPMENT_SECRETS.values(), *SANDBOX_SECRETS.values(), *PLACEHOLDERS}
    if value in published or "xxxxx" in value:
        return f"{name} is a published default"
    if len(value) < minimum_length:
        return f"{name} is shorter than {minimum_length} characters"
    # Length alone adds no doubt: "01" forty times over is no better than "01".
    is_repeated = value in (value + value)[1:-1]
    if is_repeated or _bits_per_character(value) < LEAST_BITS_PER_CHARACTER:
        return f"{name} is too easy to guess"
    return None


def _bits_per_character(value: str) -> float:
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares)
