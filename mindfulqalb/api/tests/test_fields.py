"""Fields take what people send, normalize it, and say in a sentence what they cannot take."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, time
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from mindfulqalb.api.fields import (
    ClockTime,
    EmailAddress,
    Month,
    PersonName,
    PhoneNumber,
    PlainText,
    PublicIdField,
    SessionDate,
    StrictBoolean,
    TimeZone,
    clock_time,
)
from mindfulqalb.api.public_ids import CONSENT

if TYPE_CHECKING:
    from pytest_django import Settings

FIELDS: dict[str, Any] = {
    "text": lambda: PlainText(max_length=20),
    "notes": lambda: PlainText(max_length=30),
    "name": PersonName,
    "email": EmailAddress,
    "phone": PhoneNumber,
    "date": SessionDate,
    "time": ClockTime,
    "boolean": StrictBoolean,
    "consent": lambda: PublicIdField(kind=CONSENT),
}
CONTROL = "Please leave out control characters and other invisible marks."
ADDRESS = "Please enter an email address like name@example.com."
NUMBER = "Please enter a telephone number with its country code, like +91 98765 43210."
DATE = "Please give the date as YYYY-MM-DD, like 2026-12-01."
TIME = "Please give the time like 10:00 AM or 14:30."
ID = "This is not one of our ids."
CONSENT_ID = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def read(name: str, value: Any) -> Any:
    return FIELDS[name]().run_validation(value)


def refusal(name: str, value: Any) -> list[str]:
    with pytest.raises(serializers.ValidationError) as caught:
        read(name, value)
    assert isinstance(caught.value.detail, list)
    return [str(sentence) for sentence in caught.value.detail]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("text", "  hello  ", "hello"),
        ("text", "cafe\u0301", "caf\u00e9"),
        ("text", "\U0001f600 \u0939\u093f\u0928\u094d\u0926\u0940", "\U0001f600 \u0939\u093f\u0928\u094d\u0926\u0940"),
        ("name", " Jane Doe ", "Jane Doe"),
        ("name", "O'Brien-\u0141uksza, Jr.", "O'Brien-\u0141uksza, Jr."),
        ("name", "\u0d28\u0d3f\u0d7b\u200d\u0d28", "\u0d28\u0d3f\u0d7b\u200d\u0d28"),
        ("name", "x" * 200, "x" * 200),
        ("email", " Jane.Doe+therapy@EXAMPLE.com ", "Jane.Doe+therapy@example.com"),
        ("email", "o'hara@example.co.in", "o'hara@example.co.in"),
        ("email", "jane@b\u00fccher.example", "jane@b\u00fccher.example"),
        ("email", "jane@practice.test", "jane@practice.test"),
        ("phone", "+919876543210", "+919876543210"),
        ("phone", "+91 98765-43210", "+919876543210"),
        ("phone", "98765 43210", "+919876543210"),
        ("phone", "098765 43210", "+919876543210"),
        ("phone", "0091 98765 43210", "+919876543210"),
        ("phone", "\u202a+91 98765 43210\u202c", "+919876543210"),
        ("phone", "\u096f\u096e\u096d\u096c\u096b\u096a\u0969\u0968\u0967\u0966", "+919876543210"),
        ("phone", "+1 (212) 555-2368", "+12125552368"),
        ("phone", "+44 20 7946 0958", "+442079460958"),
        ("phone", "", None),
        ("phone", "   ", None),
        ("phone", None, None),
        ("date", "2026-12-01", date(2026, 12, 1)),
        ("date", "2028-02-29", date(2028, 2, 29)),
        ("time", "10:00 AM", time(10)),
        ("time", "2:00 PM", time(14)),
        ("time", "02:00 pm", time(14)),
        ("time", "2:05\u202fPM", time(14, 5)),
        ("time", "2:05\u00a0p.m.", time(14, 5)),
        ("time", "12:00 AM", time(0)),
        ("time", "12:30PM", time(12, 30)),
        ("time", " 14:30 ", time(14, 30)),
        ("time", "00:00", time(0)),
        ("boolean", True, True),
        ("boolean", False, False),
        ("consent", "consent_aaaqeayeaudaocajbifqydiob4", CONSENT_ID),
    ],
)
def test_a_field_takes_and_normalizes(name: str, value: Any, expected: Any) -> None:
    assert read(name, value) == expected


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("text", 5, "Please send text."),
        ("text", True, "Please send text."),
        ("text", ["a"], "Please send text."),
        ("text", "", "Please fill this in."),
        ("text", None, "Please fill this in."),
        ("text", "a\x00b", CONTROL),
        ("text", "a\nb", CONTROL),
        ("text", "a\tb", CONTROL),
        ("text", "a\x7fb", CONTROL),
        ("text", "a\x85b", CONTROL),
        ("text", "a\u2029b", CONTROL),
        ("text", "a\u202eb", CONTROL),
        ("text", "a\u2066b", CONTROL),
        ("text", "a\ud800b", CONTROL),
        ("text", "x" * 21, "Please use at most 20 characters."),
        ("notes", "a\x00b", CONTROL),
        ("notes", "a\x0bb", CONTROL),
        ("notes", "a\x1b[31mb", CONTROL),
        ("name", " \t ", "Please fill this in."),
        ("name", "...", "Please give a name."),
        ("name", "12345", "Please give a name."),
        ("name", "\u200b", "Please give a name."),
        ("name", "Jane\r\nBcc: all@example.com", CONTROL),
        ("name", "x" * 201, "Please use at most 200 characters."),
        ("email", "jane", ADDRESS),
        ("email", "jane@example", ADDRESS),
        ("email", "jane@localhost", ADDRESS),
        ("email", "jane doe@example.com", ADDRESS),
        ("email", "jane@example.com, john@example.com", ADDRESS),
        ("email", "Jane <jane@example.com>", ADDRESS),
        ("email", '"jane doe"@example.com', ADDRESS),
        ("email", "jane@[192.0.2.1]", ADDRESS),
        ("email", "j\u00e4ne@example.com", ADDRESS),
        ("email", "jane@example.com\nBcc: all@example.com", CONTROL),
        ("email", "jane@example.com\x00", CONTROL),
        (
            "email",
            f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 63}.com",
            "Please enter an email address of at most 254 characters.",
        ),
        ("email", 5, "Please send text."),
        ("phone", "12345", NUMBER),
        ("phone", "+91 00000 00000", NUMBER),
        ("phone", "+999 98765 43210", NUMBER),
        ("phone", "call me", NUMBER),
        ("phone", "1-800-FLOWERS", NUMBER),
        ("phone", "+" * 50, NUMBER),
        ("phone", "9" * 400, NUMBER),
        ("phone", "+91 98765 43210 #12", "Please enter a telephone number without an extension."),
        ("phone", 9876543210, "Please send text."),
        ("date", "2026-2-1", DATE),
        ("date", "01.12.2026", DATE),
        ("date", "2026-12-01T00:00:00", DATE),
        ("date", "20261201", DATE),
        ("date", "2026-W49-2", DATE),
        ("date", "2026-02-30", DATE),
        ("date", "0000-01-01", DATE),
        ("date", "0001-01-01", DATE),
        ("date", "9999-12-31", DATE),
        ("date", " 2026-12-01", DATE),
        ("date", "2026-12-01\n", DATE),
        ("date", "\u0662026-12-01", DATE),
        ("date", 20261201, DATE),
        ("date", "", DATE),
        ("date", None, "Please choose a date."),
        ("time", "25:00 PM", TIME),
        ("time", "13:00 PM", TIME),
        ("time", "0:30 AM", TIME),
        ("time", "24:00", TIME),
        ("time", "10:60", TIME),
        ("time", "10", TIME),
        ("time", "10 AM", TIME),
        ("time", "10:00 XM", TIME),
        ("time", "10:00:00", TIME),
        ("time", "\u0661\u0660:00", TIME),
        ("time", 10, TIME),
        ("time", "", TIME),
        ("time", None, "Please choose a time."),
        ("boolean", "true", "Please send true or false."),
        ("boolean", 1, "Please send true or false."),
        ("boolean", "yes", "Please send true or false."),
        ("consent", "booking_aaaqeayeaudaocajbifqydiob4", ID),
        ("consent", "consent_1", ID),
        ("consent", 5, ID),
        ("consent", ["consent_aaaqeayeaudaocajbifqydiob4"], ID),
    ],
)
def test_a_field_refuses_with_a_sentence(name: str, value: Any, sentence: str) -> None:
    assert refusal(name, value) == [sentence]


def test_a_number_without_country_is_of_the_practice_s(settings: Settings) -> None:
    settings.PRACTICE_REGION = "GB"

    assert read("phone", "020 7946 0958") == "+442079460958"


def test_a_phone_number_may_be_missing_unless_wanted() -> None:
    class Optional(serializers.Serializer[dict[str, Any]]):
        phone = PhoneNumber()

    class Wanted(serializers.Serializer[dict[str, Any]]):
        phone = PhoneNumber(required=True)

    assert Optional(data={}).run_validation({}) == {"phone": None}
    assert Wanted(data={}).is_valid() is False
    assert refusal_of(PhoneNumber(required=True), "") == "Please fill this in."


@pytest.mark.parametrize(
    ("value", "spelled"),
    [(time(0), "12:00 AM"), (time(9, 5), "9:05 AM"), (time(12), "12:00 PM"), (time(14, 30), "2:30 PM")],
)
def test_a_time_is_spelt_as_the_contract_does(value: time, spelled: str) -> None:
    assert clock_time(value) == ClockTime().to_representation(value) == spelled


@given(st.times())
def test_a_time_s_spelling_is_read_back(value: time) -> None:
    minute = value.replace(second=0, microsecond=0, tzinfo=None, fold=0)

    assert read("time", clock_time(minute)) == minute
    assert read("time", f"{minute:%H:%M}") == minute


def test_an_id_is_shown_as_it_is_read() -> None:
    assert PublicIdField(kind=CONSENT).to_representation(CONSENT_ID) == "consent_aaaqeayeaudaocajbifqydiob4"


@pytest.mark.parametrize("name", FIELDS)
@given(value=json_values)
def test_no_json_does_more_than_be_refused(name: str, value: Any) -> None:
    try:
        result = read(name, value)
    except serializers.ValidationError as caught:
        assert all(str(sentence) for sentence in caught.detail)  # noqa: PT017
    else:
        assert result is None or isinstance(result, str | bool | date | time | UUID)


@given(st.text())
def test_text_that_passes_is_clean(text: str) -> None:
    try:
        clean = read("notes", text)
    except serializers.ValidationError:
        return
    assert clean == clean.strip() == unicodedata.normalize("NFC", clean)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", clean)


def refusal_of(field: serializers.Field[Any, Any, Any, Any], value: Any) -> str:
    with pytest.raises(serializers.ValidationError) as caught:
        field.run_validation(value)
    assert isinstance(caught.value.detail, list)
    return str(caught.value.detail[0])


@pytest.mark.parametrize(("text", "first"), [("2026-12", date(2026, 12, 1)), ("2999-12", date(2999, 12, 1))])
def test_month_is_its_first_day(text: str, first: date) -> None:
    assert (Month().run_validation(text), Month().to_representation(first)) == (first, text)


@pytest.mark.parametrize(
    "value", ["2026-13", "2026-1", "26-12", "2026-12-01", "0000-01", "0001-01", "", 202612, ["2026-12"]]
)
def test_month_in_another_spelling_is_refused(value: object) -> None:
    with pytest.raises(serializers.ValidationError):
        Month().run_validation(value)


def test_time_zone_is_found_by_its_name() -> None:
    found = TimeZone().run_validation("America/New_York")

    assert (found, TimeZone().to_representation(found)) == (ZoneInfo("America/New_York"), "America/New_York")


@pytest.mark.parametrize("value", ["America", "Mars/Olympus", "../UTC", "/etc/passwd", "", 5, "utc\x00"])
def test_time_zone_that_is_none_is_refused(value: object) -> None:
    with pytest.raises(serializers.ValidationError):
        TimeZone().run_validation(value)
