"""What somebody may learn and do who knows no more than a client's email."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bookings.tests.builders import next_slot
from consent.models import ConsentRecord

if TYPE_CHECKING:
    from bookings.tests.visitor import Visitor

KNOWN, UNKNOWN = "jane@example.com", "eve@example.com"


def heard(answer: tuple[int, dict[str, Any]]) -> tuple[int, Any]:
    """What an answer tells: a refusal word for word, of anything else its shape."""
    status, body = answer
    if status < 400:
        return status, sorted(body)
    return status, {name: value for name, value in body.items() if name != "requestId"}


def ask_as(visitor: Visitor, email: str, hour: int, path: str, **extra: Any) -> tuple[int, Any]:
    visitor.email, visitor.starts_at = email, next_slot(hour)
    return heard(visitor.post(path, visitor.wish | extra))


@pytest.mark.parametrize("age_band", ["under_18", "adult", ""])
@pytest.mark.parametrize(("session", "pay_with"), [("individual", "razorpay"), ("free", None)])
def test_hold_says_the_same_whether_we_know_the_email_at_every_age(
    visitor: Visitor, session: str, pay_with: str | None, age_band: str
) -> None:
    visitor.session_type, visitor.session_format = session, None
    assert visitor.consent()[0] == 201

    known, unknown = (
        ask_as(visitor, email, hour, "/api/bookings/hold", payWith=pay_with, ageBand=age_band)
        for email, hour in ((KNOWN, 12), (UNKNOWN, 14))
    )

    assert (known, known[0]) == (unknown, 400 if age_band == "under_18" else 201)


def test_refused_hold_leaves_nothing_behind(visitor: Visitor) -> None:
    ask_as(visitor, UNKNOWN, 12, "/api/bookings/hold", payWith="razorpay", ageBand="under_18")

    assert ConsentRecord.objects.count() == 0
