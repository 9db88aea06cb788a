"""Plain builders of letters."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mindfulqalb.mail.services import Attachment, Letter

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
STARTS_AT = datetime(2026, 12, 4, 4, 30, tzinfo=UTC)
CALENDAR = Attachment("session.ics", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "text/calendar; method=PUBLISH")


def make_context(**overrides: Any) -> dict[str, Any]:
    """Whatever any template may ask for."""
    values: dict[str, Any] = {
        "customer_first_name": "Jane",
        "session_title": "Individual session",
        "format_name": "Video call",
        "therapist_name": "Dr. Asha",
        "starts_at": STARTS_AT,
        "ends_at": STARTS_AT + timedelta(minutes=60),
        "time_zone": ZoneInfo("Asia/Kolkata"),
        "duration_minutes": 60,
        "confirmation_url": "https://cal.example/booking/uid?a=1&b=2",
        "manage_url": "https://site.example/manage/token-1",
        "choose_again_url": "https://site.example/?session=individual-video&payment=pay_1",
        "amount": "INR 1,299.00",
        "paid": "INR 1,299.00",
        "payment_id": "pay_1",
        "credit_until": STARTS_AT,
        "day": "2026-12-01",
        "is_balanced": True,
        "number": "R-2026-27-0001",
    }
    return values | overrides


def make_letter(**overrides: Any) -> Letter:
    """A confirmation to Jane without attachment; `context` changes what it says."""
    values: dict[str, Any] = {"template": "confirmation", "recipient": "jane@example.com", "about": "letter:1"}
    context = make_context(**overrides.pop("context", {}))
    return Letter(**(values | overrides), context=context)
