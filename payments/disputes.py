"""Disputes: a client's bank asks for the money back. We take note, keep the money where it is, and call a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from mindfulqalb.audit.services import record
from payments.announcements import alert, offer_money
from payments.gateways import gateway_named
from payments.models import Dispute, Payment
from payments.money import Money
from payments.queries import balance, is_disputed
from payments.states import UNDECIDED, Attention, DisputeState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from payments.gateways.base import GatewayDispute


def sync_dispute(*, gateway: str, provider_dispute_id: str, now: datetime) -> Dispute | None:
    """Bring a dispute to where the gateway says it is. Returns None for one about money that is not ours."""
    return _take_note(gateway, gateway_named(gateway).dispute(provider_dispute_id), now)


def sync_disputes(*, gateway: str, now: datetime) -> int:
    """Take over all that a gateway says about disputes, though no webhook came; return how many concern us.

    One that cannot be taken over is raised when all others have been.
    """
    told = {dispute.provider_dispute_id: dispute for dispute in gateway_named(gateway).disputes()}
    undecided = Dispute.objects.filter(payment__gateway=gateway, state__in=UNDECIDED)
    for known in undecided.exclude(provider_dispute_id__in=told).values_list("provider_dispute_id", flat=True):
        told[known] = gateway_named(gateway).dispute(known)
    noted, faults = 0, list[Exception]()
    for dispute in told.values():
        try:
            noted += _take_note(gateway, dispute, now) is not None
        except Exception as fault:  # noqa: BLE001  raised below, and the next one's money blocked before
            faults.append(fault)
    if faults:
        raise faults[0]
    return noted


def _take_note(gateway: str, told: GatewayDispute, now: datetime) -> Dispute | None:
    payment_id = _payment_of(gateway, told)
    if payment_id is None:
        return None
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        dispute = payment.disputes.filter(provider_dispute_id=told.provider_dispute_id).first()
        if dispute is None:
            dispute = Dispute(
                payment=payment, provider_dispute_id=told.provider_dispute_id, noticed_at=now, state=told.state
            )
        elif dispute.state == told.state:
            return dispute
        else:
            dispute.move_to(told.state)
        _write(dispute, told, now)
        _record(dispute, now)
        _mark(payment, dispute, now)
    return dispute


def _payment_of(gateway: str, told: GatewayDispute) -> UUID | None:
    known = Payment.objects.filter(gateway=gateway, provider_payment_id=told.provider_payment_id)
    return known.values_list("id", flat=True).first()


def _write(dispute: Dispute, told: GatewayDispute, now: datetime) -> None:
    amount = _within(dispute.payment.captured, told.amount)
    dispute.amount_minor, dispute.currency = amount.amount_minor, amount.currency
    dispute.reason, dispute.answer_by = told.reason, told.answer_by
    dispute.settled_at = None if dispute.state in UNDECIDED else now
    dispute.save()


def _within(captured: Money, disputed: Money) -> Money:
    """Take what a bank wants in the payment's own money: banks convert, and no more can be gone than had come."""
    if disputed.currency != captured.currency:
        return captured
    return Money(min(disputed.amount_minor, captured.amount_minor), captured.currency)


def _mark(payment: Payment, dispute: Dispute, now: datetime) -> None:
    """Keep the payment for a person's look as long as a bank decides, and when it has taken money.

    Money that a bank leaves to us is offered again to what it was paid for; a refund that waited goes by itself.
    """
    is_over = dispute.state == DisputeState.LOST and balance(payment) <= 0  # with whatever else was to be looked at
    if is_over or payment.attention in {Attention.DISPUTE, Attention.DISPUTE_LOST}:
        payment.settle_doubt()
    if is_disputed(payment):
        payment.doubt(Attention.DISPUTE)
    elif payment.disputes.filter(state=DisputeState.LOST).exists():
        payment.doubt(Attention.DISPUTE_LOST)
    payment.save(update_fields=["attention"])
    if dispute.state in {DisputeState.OPEN, DisputeState.LOST}:
        alert(payment)
    elif not payment.attention:
        offer_money(payment, now=now)


def _record(dispute: Dispute, now: datetime) -> None:
    record(
        action=f"dispute.{dispute.state.lower()}",
        actor=f"vendor:{dispute.payment.gateway}",
        target=f"payment:{dispute.payment_id}",
        now=now,
        details={
            "dispute": str(dispute.id),
            "amount": dispute.amount_minor,
            "currency": dispute.currency,
            "reason": dispute.reason,
        },
    )
