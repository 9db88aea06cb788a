"""Personal data and secrets do not get into a log by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.observability.scrubbing import LONGEST_TEXT, scrub

if TYPE_CHECKING:
    from uuid import UUID

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("mail to jane.doe+x@example.co.in failed", "mail to [email] failed"),
        ("<Jane@EXAMPLE.com>,john@example.com;", "<[email]>,[email];"),
        ("?email=jane%40example.com&x=1", "?email=[email]&x=1"),
        ("Key (email)=(j\u00e4ne@b\u00fccher.example) already exists", "Key (email)=([email]) already exists"),
        ("call +91 98765 43210 now", "call [digits] now"),
        ("call 98765-43210, or (212) 555-2368.", "call [digits], or ([digits]."),
        ("phone9876543210", "phone[digits]"),
        ("98 765.43210s, in 987654.3210s", "[digits]s, in [digits]s"),
        ("\u096f\u096e\u096d\u096c\u096b\u096a\u0969\u0968\u0967\u0966", "[digits]"),
        ("card 4111 1111 1111 1111, aadhaar 1234 5678 9012", "card [digits], aadhaar [digits]"),
        ("Authorization: Bearer abc.def-ghi=", "Authorization: Bearer [token]"),
        ("authorization: bearer abc", "authorization: bearer [token]"),
        (f"Not Found: /manage/{JWT}/session.ics", "Not Found: /manage/[token]/session.ics"),
        (f"{{'token': '{JWT}'}}", "{'token': '[token]'}"),
        ("key rzp_live_AbCdEfGh123456 and sk_test_4eC39HqLyjWDarjtT1zdp7dc", "key [key] and [key]"),
        ("whsec_abcdefgh12345678 cal_live_0123456789abcdef", "[key] [key]"),
        ("postgresql://mindfulqalb:s3cr:et@db.internal:5432/x", "postgresql://[credentials]@db.internal:5432/x"),
        ("redis://:pass@10.0.0.1:6379/0", "redis://[credentials]@10.0.0.1:6379/0"),
    ],
)
def test_it_is_masked(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "booking 01234567-8901-2345-6789-012345678901 confirmed",
        "due since 2026-11-24T10:00:00.123456+05:30, that is 2026-11-24 04:30:00,123",
        "amount 129900 INR in 250 ms, attempt 3 of 20",
        'File "/srv/bookings/services.py", line 1234, in confirm_booking',
        "object at 0x7f1234567890",
        "order_MkWcqPVbHyRZ8X pay_29QQoUBi66xm2f booking_aaaqeayeaudaocajbifqydiob4",
        "GET http://127.0.0.1:8100/calcom/v2/slots 503",
        "Python 3.11.7, Django 5.2.19",
        "Task outbox.sweep[01234567-8901-2345-6789-012345678901] succeeded in 0.01234567890123s: None",
        "",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert scrub(text) == text


@given(st.uuids())
def test_a_uuid_stays(value: UUID) -> None:
    assert scrub(f"booking:{value}") == f"booking:{value}"


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.sampled_from(list(range(4))))
def test_no_country_s_mobile_number_passes(region: str, form: int) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    text = phonenumbers.format_number(number, form) if number else ""

    if sum(character.isdigit() for character in text) >= 9:
        assert "[digits]" in scrub(f"number {text}")
        assert not any(character.isdigit() for character in scrub(f"number {text}").replace("tel:", ""))


@given(st.text())
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    "unit", ["a", "1", "1 ", "a@", "a.", "eyJ", "://", "Bearer ", "sk_", "-", "%40", "0x", "\u0661"]
)
def test_a_hostile_text_is_cut(unit: str) -> None:
    assert len(scrub(unit * 100_000)) <= LONGEST_TEXT * 2
