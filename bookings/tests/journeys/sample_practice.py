"""Two months of a practice of two, for pictures."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from bookings.models import CalendarCursor, CalendarFinding
from bookings.practice_time import instant_of, local
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_payment, make_wish
from bookings.wishes import Customer
from mindfulqalb.audit.checkpoints import take_checkpoint
from mindfulqalb.audit.models import AuditVerification
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Refund

NAMES = ["Asha Rao", "Imran Khan", "Mira Sen", "Jane Doe", "Ravi Iyer", "Leela Nair", "John Roe", "Zoya Ali"]
DICE = random.Random(7)


def fill() -> None:
    """Make everything."""
    now = timezone.now()
    bela = Therapist.objects.create(name="Dr. Bela", slug="bela")
    for days in range(-56, 7):
        for hour in sorted(DICE.sample(range(9, 19), k=DICE.choice([2, 3, 4, 5]))):
            day = local(now).date() + timedelta(days=days)
            starts_at = instant_of(day, datetime.min.time().replace(hour=hour))
            _sell(starts_at, now, therapist=bela if DICE.random() < 0.35 else None)
    _trouble(now)
    CalendarCursor.objects.create(name=CalendarCursor.CHANGES, changed_until=now, asked_at=now)
    seal_events(now=now)
    take_checkpoint(now=now)
    AuditVerification.objects.create(
        started_at=now, finished_at=now, event_count=400, row_count=200, erased_count=0, finding_count=0, findings=[]
    )


def _sell(starts_at: datetime, now: datetime, *, therapist: Therapist | None) -> None:
    name = DICE.choice(NAMES)
    customer = Customer(name=name, email=f"{name.split()[0].lower()}@example.com", phone=None)
    wall = local(starts_at)
    paid_at = min(starts_at, now) - timedelta(days=DICE.choice([1, 2, 3]), minutes=DICE.randrange(600))
    payment = make_payment(captured_at=paid_at, created_at=paid_at)
    over = BookingState.NO_SHOW if DICE.random() < 0.08 else BookingState.COMPLETED
    booking = make_booking(
        wish=make_wish(day=wall.date(), clock=wall.time(), customer=customer),
        state=BookingState.CONFIRMED if starts_at > now else over,
        calcom_booking_id=uuid4().hex[:12],
        payment=payment,
        payment_status="captured",
        **({"therapist": therapist} if therapist else {}),
    )
    confirmed_at = paid_at + timedelta(seconds=DICE.choice([4, 6, 8, 8, 9, 15, 25, 45, 200]))
    record(action="booking.confirmed", actor="system", target=f"booking:{booking.id}", now=confirmed_at)


def _trouble(now: datetime) -> None:
    """What stands under "Needs you"."""
    make_payment(captured_at=now - timedelta(hours=3))
    make_payment(attention="dispute")
    failed = make_payment(attention="refund_failed")
    Refund.objects.create(
        payment=failed,
        reason="staff",
        amount_minor=129900,
        currency="INR",
        actor="system",
        state="FAILED",
        requested_at=now,
    )
    for number in range(2):
        OutboxMessage.objects.create(
            topic="email.confirmation",
            lane=f"booking:{uuid4()}",
            payload={},
            state="DEAD",
            due_at=now,
            created_at=now,
            finished_at=now,
            attempts=12 + number,
            last_error="550 No such mailbox",
        )
    CalendarFinding.objects.create(
        kind="UNKNOWN", calendar_uid="uid_unknown", starts_at=now + timedelta(days=2), found_at=now, seen_at=now
    )
