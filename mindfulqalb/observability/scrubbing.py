"""Take personal data and secrets out of text that leaves for a log.

A net below the rule, and not the rule: log messages hold no personal data in the first place, and no pattern knows a
name.
"""

from __future__ import annotations

import re

# Enough for a deep traceback, and a bound on the work that a hostile text can cause.
LONGEST_TEXT = 20_000

# Quantifiers are bounded throughout: a text without any match must not cost more than a few passes.
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TIMESTAMP = r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?(?!\d)"
# "succeeded in 0.0123456789s": Celery's own figure, which nobody can be called at.
_SECONDS = r"\bin \d{1,3}\.\d{1,20}s\b"
_PATTERNS = re.compile(
    "|".join(
        (
            rf"(?P<keep>{_UUID}|\b{_TIMESTAMP}|{_SECONDS}|\b0x[0-9a-fA-F]{{1,16}}\b)",
            r"(?P<credentials>(?<=://)[^\s/@]{0,256}:[^\s/@]{0,256}(?=@))",
            r"(?P<token>(?<=\bBearer )[\w.~+/=-]{1,4096}|\beyJ[\w-]{5,2048}\.[\w-]{5,4096}(?:\.[\w-]{0,512})?)",
            r"(?P<key>\b(?:rzp|sk|rk|cal|whsec)_(?:live|test|sandbox)?_?[A-Za-z0-9]{8,128})",
            r"(?P<email>[\w.+%'-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})",
            r"(?P<digits>\+?(?:\d[ ().-]{0,2}){8,40}\d)",
        )
    ),
    re.IGNORECASE,
)


def scrub(text: str) -> str:
    """Mask emails, phone and other long numbers, bearer tokens, JWTs, vendor keys and passwords in URLs.

    Each becomes its kind in brackets, `[email]`. UUIDs and timestamps stay. Text beyond LONGEST_TEXT is cut.
    """
    return _PATTERNS.sub(_mask, text[:LONGEST_TEXT])


def _mask(match: re.Match[str]) -> str:
    return match[0] if match.lastgroup == "keep" else f"[{match.lastgroup}]"
