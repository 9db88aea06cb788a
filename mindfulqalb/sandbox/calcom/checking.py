"""Cal.com's checks of what it is sent. An unknown field is refused, as its validation does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import phonenumbers

from mindfulqalb.sandbox.answers import json_body
from mindfulqalb.sandbox.calcom.envelope import CalcomError
from mindfulqalb.sandbox.clock import parse_iso

if TYPE_CHECKING:
    from django.http import HttpRequest

LANGUAGE_CODES = (
    "ar ca de es eu he id ja lv pl ro sr th vi az cs el es-419 fi hr it km nl pt ru sv tr zh-CN bg da en et fr hu iw"
    " ko no pt-BR sk ta uk zh-TW bn"
)
LANGUAGES = frozenset(LANGUAGE_CODES.split())
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
REQUIRED = "should not be null or undefined"
Check = Callable[[Any], str | None]
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body. Raises CalcomError 400."""
    try:
        return json_body(request)
    except ValueError as error:
        raise CalcomError(400, f"Unexpected token in JSON: {error}") from error


def complain(problems: dict[str, str]) -> None:
    """Refuse with one sentence that names every wrong property, as the bookings and slots pipes do."""
    if problems:
        raise CalcomError(400, ", ".join(f"{name} property is wrong,{problem} " for name, problem in problems.items()))


def complain_in_details(problems: dict[str, str]) -> None:
    """Refuse as the global pipe does: a general message, the properties in `details.errors`."""
    if not problems:
        return
    errors = [{"property": name, "children": [], "constraints": {"invalid": text}} for name, text in problems.items()]
    raise CalcomError(400, "Bad Request Exception", details={"errors": errors})


def problems_of(given: dict[str, Any], checks: Mapping[str, Check], required: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what is wrong with an object, by property: unknown, missing or of the wrong kind."""
    problems = {name: f"property {name} should not exist" for name in given if name not in checks}
    problems |= {name: f"{name} {REQUIRED}" for name in required if given.get(name) is None}
    for name, check in checks.items():
        if given.get(name) is not None and (problem := check(given[name])):
            problems[name] = f"{name} {problem}"
    return problems


def is_text(value: object) -> str | None:
    """Check a text."""
    return None if isinstance(value, str) else "must be a string"


def is_number(value: object) -> str | None:
    """Check a number."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if number else "must be a number conforming to the specified constraints"


def is_flag(value: object) -> str | None:
    """Check a boolean."""
    return None if isinstance(value, bool) else "must be a boolean value"


def is_object(value: object) -> str | None:
    """Check an object."""
    return None if isinstance(value, dict) else "must be an object"


def is_moment(value: object) -> str | None:
    """Check an ISO 8601 moment."""
    try:
        parse_iso(value if isinstance(value, str) else "")
    except ValueError:
        return "must be a valid ISO 8601 date string"
    return None


def is_zone(value: object) -> str | None:
    """Check an IANA time zone."""
    try:
        ZoneInfo(value if isinstance(value, str) else "")
    except (ValueError, OSError, KeyError):
        return "must be a valid IANA time-zone"
    return None


def is_email(value: object) -> str | None:
    """Check an email address."""
    return None if isinstance(value, str) and EMAIL.fullmatch(value) else "must be an email"


def is_phone(value: object) -> str | None:
    """Check a phone number in international form."""
    problem = "must be a valid phone number in international format"
    try:
        return None if phonenumbers.is_valid_number(phonenumbers.parse(str(value))) else problem
    except phonenumbers.NumberParseException:
        return problem


def is_language(value: object) -> str | None:
    """Check a language of Cal.com's list."""
    return None if value in LANGUAGES else f"must be one of the following values: {', '.join(sorted(LANGUAGES))}"


def is_guests(value: object) -> str | None:
    """Check a list of email addresses."""
    good = isinstance(value, list) and not any(is_email(item) for item in value)
    return None if good else "each value in guests must be an email"


def is_metadata(value: object) -> str | None:
    """Check metadata: at most 50 keys of 40 characters; texts of 500, numbers, booleans; nothing nested, no null."""
    if not isinstance(value, dict):
        return "must be an object"
    sizes = len(value) <= MOST_METADATA and all(len(key) <= LONGEST_KEY for key in value)
    values = all(isinstance(item, (str, int, float)) and len(str(item)) <= LONGEST_VALUE for item in value.values())
    if sizes and values:
        return None
    return "must have at most 50 keys, each key up to 40 characters, and string values up to 500 characters"


ATTENDEE_CHECKS: dict[str, Check] = {
    "name": is_text,
    "email": is_email,
    "timeZone": is_zone,
    "phoneNumber": is_phone,
    "language": is_language,
}


def is_attendee(value: object) -> str | None:
    """Check the person who books: a name, a time zone, and an email address or a phone number."""
    if not isinstance(value, dict):
        return "must be an object"
    problems = problems_of(value, ATTENDEE_CHECKS, ("name", "timeZone"))
    if not problems and not value.get("email") and not value.get("phoneNumber"):
        problems["email"] = "At least one contact method (email or phoneNumber) must be provided"
    return ", ".join(f"{name} property is wrong,{problem}" for name, problem in problems.items()) or None
