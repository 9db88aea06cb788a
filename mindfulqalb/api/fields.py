"""What callers send, field by field: shape only, and a sentence for whatever has another one."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from email_validator import EmailNotValidError, validate_email
from rest_framework import serializers

from mindfulqalb.api.public_ids import PublicId, UnknownId
from mindfulqalb.phones import DIRECTION_MARKS, NotAPhoneNumber, e164, without_marks
from mindfulqalb.practice_clock import NAMEABLE_YEARS

if TYPE_CHECKING:
    from uuid import UUID

LONGEST_NAME = 200
LONGEST_EMAIL = 254  # RFC 5321, 4.5.3.1.3, without its angle brackets
NOON = 12

_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK_TIME = re.compile(r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?:\s?(?P<half>[ap])\.?m\.?)?", re.IGNORECASE)


class PlainText(serializers.CharField):
    """Text without control characters, trimmed, in Unicode NFC.

    Numbers are not text: a caller that sends 5 for a name has mistaken the field.
    """

    default_error_messages: ClassVar = {
        "invalid": _("Please send text."),
        "control": _("Please leave out control characters and other invisible marks."),
        "blank": _("Please fill this in."),
        "null": _("Please fill this in."),
        "max_length": _("Please use at most {max_length} characters."),
    }

    def to_internal_value(self, data: Any) -> str:
        """Normalize, and refuse what must not be there."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = unicodedata.normalize("NFC", data.strip())
        if any(_is_control(character) for character in text):
            self.fail("control")
        return text


class PersonName(PlainText):
    """A person's name: 1 to 200 characters of any script, among them a letter."""

    default_error_messages: ClassVar = {"nameless": _("Please give a name.")}

    def __init__(self, **kwargs: Any) -> None:
        """Bound it."""
        super().__init__(max_length=LONGEST_NAME, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what has no letter in it."""
        name = super().to_internal_value(data)
        if not any(character.isalpha() for character in name):
            self.fail("nameless")
        return name


@extend_schema_field({"type": "string", "format": "email", "maxLength": LONGEST_EMAIL, "example": "jane@example.com"})
class EmailAddress(PlainText):
    """An email address by syntax (RFC 5321, at most 254 characters), its domain in lower case; no DNS is asked.

    The local part must be ASCII: few mail servers take another one. Internationalized domains are fine.
    """

    default_error_messages: ClassVar = {
        "address": _("Please enter an email address like name@example.com."),
        "max_length": _("Please enter an email address of at most {max_length} characters."),
    }

    def __init__(self, **kwargs: Any) -> None:
        """Bound it."""
        super().__init__(max_length=LONGEST_EMAIL, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Normalize the address."""
        text = super().to_internal_value(data)
        if len(text) > LONGEST_EMAIL:
            self.fail("max_length", max_length=LONGEST_EMAIL)
        try:
            # `.test` (RFC 2606) reaches nobody, which is what trials want.
            return validate_email(
                text, check_deliverability=False, allow_smtputf8=False, test_environment=True
            ).normalized
        except EmailNotValidError:
            self.fail("address")


@extend_schema_field({"type": "string", "nullable": True, "example": "+919876543210"})
class PhoneNumber(PlainText):
    """A telephone number, in E.164 (`+919876543210`) or None; one without country code is read as PRACTICE_REGION's.

    Optional: missing, null and blank all mean None. Extensions are refused.
    """

    default_error_messages: ClassVar = {
        "number": _("Please enter a telephone number with its country code, like +91 98765 43210."),
        "extension": _("Please enter a telephone number without an extension."),
    }

    def __init__(self, **kwargs: Any) -> None:
        """Make it optional unless told otherwise."""
        if not kwargs.get("required"):
            kwargs = {"allow_null": True, "allow_blank": True, "default": None} | kwargs
        super().__init__(max_length=50, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> str | None:
        """Turn blank into None."""
        return super().run_validation(data) or None

    def to_internal_value(self, data: Any) -> str:
        """Parse by the rules of the number's country."""
        text = super().to_internal_value(without_marks(data) if isinstance(data, str) else data)
        try:
            return e164(text)
        except NotAPhoneNumber as error:
            self.fail("extension" if error.has_extension else "number")


class SessionDate(serializers.DateField):
    """A day as `YYYY-MM-DD`, and in no other spelling; near the ends of the calendar no clock could name it."""

    default_error_messages: ClassVar = {
        "invalid": _("Please give the date as YYYY-MM-DD, like 2026-12-01."),
        "null": _("Please choose a date."),
    }

    def to_internal_value(self, value: Any) -> date:
        """Read the day."""
        day = _day_of(value)
        if day is None:
            self.fail("invalid")
        return day


@extend_schema_field({"type": "string", "example": "2026-12"})
class Month(serializers.Field[date, Any, str, Any]):
    """A month as `YYYY-MM`, read as its first day."""

    default_error_messages: ClassVar = {"invalid": "Please give the month as YYYY-MM, like 2026-12."}

    def to_internal_value(self, data: Any) -> date:
        """Read the month."""
        first = _day_of(f"{data}-01")
        if first is None:
            self.fail("invalid")
        return first

    def to_representation(self, value: date) -> str:
        """Spell the month."""
        return value.isoformat()[:7]


@extend_schema_field({"type": "string", "example": "America/New_York"})
class TimeZone(serializers.Field[ZoneInfo, Any, str, Any]):
    """A time zone by its IANA name."""

    default_error_messages: ClassVar = {"invalid": "Please give a time zone like Asia/Kolkata."}

    def to_internal_value(self, data: Any) -> ZoneInfo:
        """Look it up by name; what else lies in the machine's folder of zones is none."""
        if not isinstance(data, str) or data not in _zones():
            self.fail("invalid")
        return ZoneInfo(data)

    def to_representation(self, value: ZoneInfo) -> str:
        """Spell its name."""
        return value.key


class VisitorTimeZone(TimeZone):
    """What a browser calls its time zone: a name that we do not know is None, and never in the way of a booking."""

    def to_internal_value(self, data: Any) -> ZoneInfo | None:  # type: ignore[override]
        """Look it up by name."""
        if isinstance(data, str) and data not in _zones():
            return None
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "example": "10:00 AM"})
class ClockTime(serializers.Field[time, Any, str, Any]):
    """A time of day, `10:00 AM` or, on 24 hours, `14:30`; shown as `2:30 PM`."""

    default_error_messages: ClassVar = {
        "invalid": _("Please give the time like 10:00 AM or 14:30."),
        "null": _("Please choose a time."),
    }

    def to_internal_value(self, data: Any) -> time:
        """Read the time; browsers put a narrow no-break space before the AM, which is as good as any."""
        match = _CLOCK_TIME.fullmatch(data.strip()) if isinstance(data, str) else None
        if match is None:
            self.fail("invalid")
        hour, minute = int(match["hour"]), int(match["minute"])
        if match["half"] and not 1 <= hour <= NOON:
            self.fail("invalid")
        if match["half"]:
            hour = hour % NOON + (NOON if match["half"].lower() == "p" else 0)
        try:
            return time(hour, minute)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value: time) -> str:
        """Spell the time as the contract does."""
        return clock_time(value)


class StrictBoolean(serializers.BooleanField):
    """JSON's `true` or `false`; "yes", "true" and 1 are refused, because a consent is never guessed at."""

    default_error_messages: ClassVar = {"invalid": _("Please send true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        """Take a boolean for itself only."""
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


@extend_schema_field({"type": "string", "example": "consent_aaaqeayeaudaocajbifqydiob4"})
class PublicIdField(serializers.CharField):
    """An id like `consent_...`, read as the row's UUID; `kind` says which."""

    default_error_messages: ClassVar = {"invalid": _("This is not one of our ids.")}

    def __init__(self, *, kind: PublicId, **kwargs: Any) -> None:
        """Read ids of one kind only."""
        self.kind = kind
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> UUID:  # type: ignore[override]
        """Read the id."""
        try:
            return self.kind.decode(data if isinstance(data, str) else "")
        except UnknownId:
            self.fail("invalid")

    def to_representation(self, value: UUID) -> str:  # type: ignore[override]
        """Spell the id."""
        return self.kind.encode(value)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def clock_time(value: time) -> str:
    """Spell a time of day as the contract does: `10:00 AM`, `2:30 PM`."""
    return f"{value.hour % NOON or NOON}:{value.minute:02} {'AM' if value.hour < NOON else 'PM'}"


def _is_control(character: str) -> bool:
    return ord(character) in DIRECTION_MARKS or unicodedata.category(character) in _CONTROL_CATEGORIES


def _day_of(text: object) -> date | None:
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year in NAMEABLE_YEARS else None
