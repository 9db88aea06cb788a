"""The practice as its staff find it in the morning: everybody has an account, and some work is left from yesterday."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import uuid4

from django.utils import timezone

from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_wish
from bookings.wishes import Customer
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FINANCE, FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import PASSWORD, make_authenticator, make_member

STAFF = {
    "asha": THERAPIST,
    "lena": FRONT_DESK,
    "paul": FINANCE,
    "quinn": COMPLIANCE_AUDITOR,
    "nadia": ADMINISTRATOR,
    "ravi": FRONT_DESK,
}
GIVEN_UP = 12  # more than are done at once


def open_office() -> None:
    """Make everybody and everything."""
    now = timezone.now()
    for username, role in STAFF.items():
        _hire(username, role)
    customer = Customer(name="Tilda Thorn", email="tilda@example.com", phone=None)
    yesterday = local(now).date() - timedelta(days=1)
    over = make_booking(
        wish=make_wish(day=yesterday, clock=time(10, 0), customer=customer),
        state=BookingState.COMPLETED,
        calcom_booking_id="uid_over",
    )
    for _ in range(GIVEN_UP):
        OutboxMessage.objects.create(
            topic="calendar.attendance",
            lane=f"journey:{uuid4()}",
            payload={"booking_id": str(over.id)},
            state="DEAD",
            due_at=now,
            created_at=now,
            finished_at=now,
            last_error="No such booking",
        )


def _hire(username: str, role: str) -> None:
    member = make_member(role, username=username, email=f"{username}@example.com", password=PASSWORD)
    make_authenticator(member)
    if role == THERAPIST:
        Therapist.objects.update(member=member)
