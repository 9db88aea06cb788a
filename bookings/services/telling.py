"""Nobody's money waits in silence: whoever paid hears that it has no session, and again before it goes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.credits import is_unspent
from bookings.receipts import booking_paid_by
from bookings.services.unplaced import unplaced_payments
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue
from payments.models import Payment

if TYPE_CHECKING:
    from uuid import UUID

# The browser that paid may still be at it; after this, it is gone.
GONE_AFTER = timedelta(minutes=30)
WARN_BEFORE = timedelta(hours=24)


def tell_unplaced(*, now: datetime) -> int:
    """Have those told whose money bought nothing, each once of either kind; return how many mails were asked for.

    A slot that was lost is told when it is lost. Here it is for money that no booking names, and for credits that end.
    """
    credit = timedelta(hours=settings.PAYMENT_CREDIT_HOURS)
    gone = unplaced_payments(before=now - GONE_AFTER).select_related("duplicate_of")
    ending = unplaced_payments(before=now - credit + min(WARN_BEFORE, credit // 2))
    nameless = [payment.id for payment in gone if booking_paid_by(payment) is None]
    wanted = [("unclaimed", payment_id) for payment_id in nameless]
    wanted += [("credit_ending", payment_id) for payment_id in ending.values_list("id", flat=True)]
    return sum(_tell_once(payment_id, kind, now) for kind, payment_id in wanted)


def note_unknown_payer(*, payment_id: UUID, now: datetime) -> None:
    """Put a payment on the list of those that a person must look at: nobody knows whom to tell."""
    target = f"payment:{payment_id}"
    with transaction.atomic():
        Payment.objects.locked(payment_id)
        if not AuditEvent.objects.filter(target=target, action="payment.payer_unknown").exists():
            record(action="payment.payer_unknown", actor="system", target=target, now=now)


def _tell_once(payment_id: UUID, kind: str, now: datetime) -> bool:
    target, action = f"payment:{payment_id}", f"payment.told_{kind}"
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        if not is_unspent(payment) or _was_told(payment, action):
            return False
        record(action=action, actor="system", target=target, now=now)
        enqueue(topic=f"email.{kind}", lane=f"{target}:news", payload={"payment_id": str(payment_id)}, now=now)
    return True


def _was_told(payment: Payment, action: str) -> bool:
    """Look since the money was last set free: what is released a second time is told of a second time."""
    released = payment.bookings.exclude(payment_released_at=None).order_by("-payment_released_at").first()
    since = released.payment_released_at if released else payment.captured_at
    told = AuditEvent.objects.filter(target=f"payment:{payment.id}", action=action, occurred_at__gte=since)
    return told.exists()
