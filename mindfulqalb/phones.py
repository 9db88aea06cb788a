"""Telephone numbers: as people write them, and as they are kept."""

from __future__ import annotations

import phonenumbers
from django.conf import settings

# Invisible, and able to make a line read as another one. Address books wrap numbers in them.
DIRECTION_MARKS = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


class NotAPhoneNumber(ValueError):
    """No number that anybody has; `has_extension` where it is one of a switchboard."""

    def __init__(self, *, has_extension: bool = False) -> None:
        """Say which."""
        super().__init__("a telephone number with an extension" if has_extension else "no telephone number")
        self.has_extension = has_extension


def without_marks(text: str) -> str:
    """Take off what an address book has wrapped a number in."""
    return text.translate(DIRECTION_MARKS)


def e164(text: str) -> str:
    """Return a number as `+919876543210`; one without country code is read as PRACTICE_REGION's.

    Raises NotAPhoneNumber, for a number with an extension too: E.164 would lose it in silence.
    """
    # "1-800-FLOWERS" would be dialled, but nobody's own number is spelt so.
    if any(character.isalpha() for character in text):
        raise NotAPhoneNumber
    try:
        number = phonenumbers.parse(text, settings.PRACTICE_REGION)
    except phonenumbers.NumberParseException:
        raise NotAPhoneNumber from None
    if number.extension:
        raise NotAPhoneNumber(has_extension=True)
    if not phonenumbers.is_valid_number(number):
        raise NotAPhoneNumber
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
