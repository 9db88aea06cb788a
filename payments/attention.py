"""The door for staff to settle a payment that needs a person's look. The other way out is to refund it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from payments.announcements import offer_money
from payments.models import Payment
from payments.queries import is_disputed, owable
from payments.states import ACCEPTABLE

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class NothingToAccept(Refusal):
    """Nobody has to decide about it, or not by accepting it."""

    code = "nothing_to_accept"
    status = 409
    sentence = "This payment does not wait to be accepted."


def accept_payment(*, payment_id: UUID, actor: str, now: datetime) -> Payment:
    """Take a payment as it is: it buys what it was made for, as if nothing had been wrong with it.

    Raises NothingToAccept for one that is fine, that was paid a second time, that is disputed, or of which nothing is
    left: it has gone back, or a bank has taken it.
    """
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        if payment.attention not in ACCEPTABLE or is_disputed(payment) or not owable(payment).amount_minor:
            raise NothingToAccept
        details = {
            "attention": payment.attention,
            "amount": payment.captured_amount_minor,
            "currency": payment.captured_currency,
        }
        payment.settle_doubt()
        payment.save(update_fields=["attention"])
        record(action="payment.accepted", actor=actor, target=f"payment:{payment.id}", now=now, details=details)
        offer_money(payment, now=now)
    return payment
