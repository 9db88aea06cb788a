"""Send money back: once, whatever gets lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Sum

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.vendors.errors import ProviderError
from payments.announcements import alert
from payments.gateways import gateway_named
from payments.gateways.base import GatewayRefund, RefundRequest
from payments.models import Payment, Refund
from payments.money import Money
from payments.queries import given_instead, has_gone_back, is_disputed, owable
from payments.states import Attention, RefundReason, RefundState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

ASK_AFTER_DISPUTE = timedelta(hours=6)
SETTLED = (RefundState.PROCESSED, RefundState.FAILED)


class NothingToRefund(Refusal):
    """There is no money here, or none is left."""

    code = "nothing_to_refund"
    status = 409
    sentence = "Nothing of this payment is left to refund."


class MoreThanIsLeft(Refusal):
    """More is asked back than has been paid and not been sent back."""

    code = "more_than_is_left"
    status = 400
    sentence = "This is more than what is left of the payment."


class ChangedMeanwhile(Refusal):
    """Something went back since the page was shown on which somebody decided how much to refund."""

    code = "changed_meanwhile"
    status = 409
    sentence = "Meanwhile some of this payment has gone back. Please look again at what is left."


class PaymentDisputed(Refusal):
    """The client's bank is deciding about it; a refund on top could pay the client twice."""

    code = "payment_disputed"
    status = 409
    sentence = "The client's bank is disputing this payment. Nothing can be sent back until it has decided."


class NotFailed(Refusal):
    """Only a refund that failed can be tried again."""

    code = "not_failed"
    status = 409
    sentence = "This refund has not failed."


def request_refund(
    *,
    payment_id: UUID,
    amount_minor: int | None,
    reason: RefundReason,
    actor: str,
    now: datetime,
    seen_left: int | None = None,
    waits_for_bank: bool = False,
    retry_of: Refund | None = None,
) -> Refund:
    """Write down that money goes back, all that is left when `amount_minor` is None; the outbox sends it.

    From here on the payment buys nothing. Pending refunds count as gone: two requests at once cannot both have the last
    rupee. A person who decides on a page passes on what it showed as left (`seen_left`), so that a second click does
    not refund a second half. What our rules owe the client is written down also while a bank decides
    (`waits_for_bank`), and goes when it has. Raises PaymentDisputed, NothingToRefund, MoreThanIsLeft or
    ChangedMeanwhile.
    """
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        if not waits_for_bank and is_disputed(payment):
            raise PaymentDisputed
        amount = _amount_within(owable(payment), amount_minor, seen_left)
        refund = Refund(payment=payment, reason=reason, retry_of=retry_of, actor=actor, requested_at=now)
        refund.amount_minor, refund.currency = amount.amount_minor, amount.currency
        _write_down(refund, now)
    return refund


def _amount_within(left: Money, amount_minor: int | None, seen_left: int | None) -> Money:
    if left.amount_minor <= 0:
        raise NothingToRefund
    if seen_left not in {None, left.amount_minor}:
        raise ChangedMeanwhile
    if amount_minor is None:
        return left
    if not 0 < amount_minor <= left.amount_minor:
        raise MoreThanIsLeft(fields={"amount": [f"Between 0.01 and {left}."]})
    return Money(amount_minor, left.currency)


def _write_down(refund: Refund, now: datetime) -> None:
    refund.save(force_insert=True)
    _record(refund, "refund.requested", refund.actor, now)
    lane = f"payment:{refund.payment_id}"
    enqueue(topic="refund.send", lane=lane, payload={"refund_id": str(refund.id)}, now=now)


def retry_refund(*, refund_id: UUID, actor: str, now: datetime) -> Refund:
    """Try once more what has failed, as a refund of its own. Raises NotFailed, NothingToRefund or MoreThanIsLeft."""
    failed = Refund.objects.get(id=refund_id)
    if failed.state != RefundState.FAILED:
        raise NotFailed
    return request_refund(
        payment_id=failed.payment_id,
        amount_minor=failed.amount_minor,
        reason=RefundReason(failed.reason),
        actor=actor,
        now=now,
        retry_of=failed,
    )


def send_refund(*, refund_id: UUID, now: datetime) -> Refund:
    """Bring a refund to the gateway and write down what it says.

    Asks first what is there already: no answer to an earlier call does not mean that nothing was done, and where a hand
    in the dashboard was faster there may be nothing left. Raises ProviderError when the gateway does not answer: the
    refund stays PENDING, and the next call bears the same key. Raises RetryLater while a bank decides about it; what it
    has given back by then is not paid again.
    """
    refund, asked_before = _note_sending(refund_id, now)
    if refund.state in SETTLED:
        return refund
    request = RefundRequest(str(refund.id), refund.payment.provider_payment_id or "", refund.amount)
    try:
        _look_first(refund, now, asked_before=asked_before)
        if refund.provider_refund_id is not None:
            return refund
        _require_no_more_than_came(refund.payment)
        answer = gateway_named(refund.payment.gateway).refund(request)
    except ProviderError as error:
        if error.permanent:
            _settle(refund_id, RefundState.FAILED, now)
        raise
    # Whether or not it repeats our key: the answer to our own call is about our own refund.
    return _take_note(refund.payment_id, replace(answer, key=request.key), now)


def _look_first(refund: Refund, now: datetime, *, asked_before: bool) -> None:
    """Learn what is at the gateway already.

    One that will not say leaves open what became of an earlier call: only the refund call itself can be refused.
    """
    try:
        sync_refunds(payment_id=refund.payment_id, now=now)
    except ProviderError as error:
        raise ProviderError(
            str(error), permanent=error.permanent and not asked_before, retry_after=error.retry_after
        ) from error
    refund.refresh_from_db()


def _require_no_more_than_came(payment: Payment) -> None:
    """Raise ProviderError where a hand in the dashboard was faster; what banks took, counts elsewhere."""
    gone = payment.refunds.exclude(state=RefundState.FAILED).aggregate(total=Sum("amount_minor", default=0))["total"]
    if gone > payment.captured.amount_minor:
        msg = "more of this payment would go back than came"
        raise ProviderError(msg, permanent=True)


def sync_refunds(*, payment_id: UUID, now: datetime) -> None:
    """Take over what the gateway says about all refunds of a payment, those made by hand in its dashboard included."""
    payment = Payment.objects.get(id=payment_id)
    if payment.provider_payment_id is None:
        return
    for answer in gateway_named(payment.gateway).refunds(payment.provider_payment_id):
        _take_note(payment_id, answer, now)


def _locked(refund_id: UUID) -> Refund:
    """Re-read a refund under its payment's lock, which is the lock of all money of that payment."""
    payment_id = Refund.objects.values_list("payment_id", flat=True).get(id=refund_id)
    Payment.objects.locked(payment_id)
    return Refund.objects.select_related("payment").get(id=refund_id)


def _note_sending(refund_id: UUID, now: datetime) -> tuple[Refund, bool]:
    """Write down that the gateway is being asked, and return whether it may have been before."""
    with transaction.atomic():
        refund = _locked(refund_id)
        asked_before = refund.state != RefundState.REQUESTED
        if refund.state == RefundState.REQUESTED:
            if is_disputed(refund.payment):
                raise RetryLater(ASK_AFTER_DISPUTE)
            refund.move_to(RefundState.PENDING)
            _leave_to_the_bank(refund, now)
            refund.save(update_fields=["state", "amount_minor", "settled_at"])
    return refund, asked_before


def _leave_to_the_bank(refund: Refund, now: datetime) -> None:
    """Take off what banks have given to the client: all of it may be, and then nobody has to do anything."""
    given = given_instead(refund)
    if given <= 0:
        return
    if refund.amount_minor > given:
        refund.amount_minor -= given
    else:
        refund.move_to(RefundState.FAILED)
        refund.settled_at = now
    _record(refund, "refund.left_to_the_bank", "system", now)


def _take_note(payment_id: UUID, answer: GatewayRefund, now: datetime) -> Refund:
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        refund = _ours(payment, answer) or _external(payment, answer, now)
        if refund.provider_refund_id is None:
            refund.provider_refund_id = answer.provider_refund_id
            refund.save(update_fields=["provider_refund_id"])
        _follow(refund, answer.state, now)
    return refund


def _ours(payment: Payment, answer: GatewayRefund) -> Refund | None:
    """Find the row of a refund. A second one under our key, which a gateway had forgotten, is another one.

    What a try has paid after it was taken for failed, its next try need not pay; without one it is nobody's here.
    """
    known = payment.refunds.filter(provider_refund_id=answer.provider_refund_id).first()
    unnamed = payment.refunds.filter(provider_refund_id=None).exclude(state=RefundState.FAILED)
    return known or next((refund for refund in unnamed if answer.key in _keys(refund)), None)


def _keys(refund: Refund) -> Iterator[str]:
    """Name a refund, and those that it tries again."""
    tried: Refund | None = refund
    while tried is not None:
        yield str(tried.id)
        tried = tried.retry_of


def _external(payment: Payment, answer: GatewayRefund, now: datetime) -> Refund:
    """Record a refund that was made in the gateway's dashboard."""
    refund = Refund.objects.create(
        payment=payment,
        state=RefundState.PENDING,
        reason=RefundReason.EXTERNAL,
        amount_minor=answer.amount.amount_minor,
        currency=answer.amount.currency,
        actor=f"vendor:{payment.gateway}",
        requested_at=now,
    )
    _record(refund, "refund.found", refund.actor, now)
    return refund


def _follow(refund: Refund, state: RefundState, now: datetime) -> None:
    """Go where the gateway is, as far as the table allows; hearing the same twice changes nothing."""
    if refund.state == RefundState.FAILED or state in {refund.state, RefundState.PENDING}:
        return
    if refund.state == RefundState.REQUESTED:
        refund.move_to(RefundState.PENDING)
    refund.move_to(state)
    refund.settled_at = now
    refund.save(update_fields=["state", "settled_at"])
    _record(refund, f"refund.{state.lower()}", f"vendor:{refund.payment.gateway}", now)
    _follow_on_payment(refund.payment, state)
    if state == RefundState.PROCESSED:
        enqueue(
            topic="refund.processed",
            lane=f"payment:{refund.payment_id}:news",
            payload={"refund_id": str(refund.id)},
            now=now,
        )


def _follow_on_payment(payment: Payment, state: RefundState) -> None:
    """Call a person when money could not go back; once all of it has, there is nothing left to look at."""
    if state == RefundState.FAILED:
        payment.doubt(Attention.REFUND_FAILED)
        alert(payment)
    elif payment.attention in {Attention.DISPUTE, Attention.DISPUTE_LOST}:
        return
    elif has_gone_back(payment) or (payment.attention == Attention.REFUND_FAILED and not _has_failed(payment)):
        payment.settle_doubt()
    payment.save(update_fields=["attention"])


def _has_failed(payment: Payment) -> bool:
    """Whether a refund failed and nobody has tried it again."""
    return payment.refunds.filter(state=RefundState.FAILED, retries=None).exists()


def _settle(refund_id: UUID, state: RefundState, now: datetime) -> None:
    with transaction.atomic():
        _follow(_locked(refund_id), state, now)


def _record(refund: Refund, action: str, actor: str, now: datetime) -> None:
    details = {
        "refund": str(refund.id),
        "amount": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason,
    }
    record(action=action, actor=actor, target=f"payment:{refund.payment_id}", now=now, details=details)
