"""A gateway that will not say what has gone back, or does not take our key, has refused no refund."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment, Refund
from payments.queries import balance
from payments.refunds import NotFailed, request_refund, retry_refund, send_refund, sync_refunds
from payments.services import capture_payment
from payments.states import RefundReason, RefundState
from payments.tests.builders import NOW, make_order

if TYPE_CHECKING:
    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db


@pytest.fixture
def paid(payer: Payer) -> Payment:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=NOW)


def _half(payment: Payment) -> Refund:
    return request_refund(
        payment_id=payment.id,
        amount_minor=payment.captured.amount_minor // 2,
        reason=RefundReason.CANCELLED_BY_CLIENT,
        actor="client",
        now=NOW,
    )


def _sent_without_answer(payment: Payment, payer: Payer) -> Refund:
    refund = _half(payment)
    payer.sandbox.fault(payer.name, "drop", "refunds.create", times=2)
    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=NOW)
    return refund


def _at_the_gateway(payer: Payer) -> int:
    return len(payer.sandbox.state()[payer.name]["refunds"])


@pytest.mark.parametrize("status", [401, 403, 400, 404])
def test_listing_that_is_refused_leaves_a_sent_refund_open_and_it_goes_once(
    status: int, paid: Payment, payer: Payer
) -> None:
    refund = _sent_without_answer(paid, payer)
    payer.sandbox.fault(payer.name, "status", "refunds.list", status=status)

    with pytest.raises(ProviderError) as refusal:
        send_refund(refund_id=refund.id, now=NOW)
    with pytest.raises(NotFailed):
        retry_refund(refund_id=refund.id, actor="staff:1", now=NOW)

    assert refusal.value.permanent is False
    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.PROCESSED
    assert _at_the_gateway(payer) == 1


@pytest.mark.parametrize("call", ["refunds.create", "refunds.list"])
@pytest.mark.parametrize("status", [401, 403])
def test_key_that_is_refused_is_asked_with_again(status: int, call: str, paid: Payment, payer: Payer) -> None:
    refund = _half(paid)
    payer.sandbox.fault(payer.name, "status", call, status=status)

    with pytest.raises(ProviderError) as refusal:
        send_refund(refund_id=refund.id, now=NOW)

    refund.refresh_from_db()
    assert (refusal.value.permanent, refund.state) == (False, RefundState.PENDING)
    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.PROCESSED


def test_refund_that_was_taken_for_failed_and_had_gone_is_not_paid_by_its_next_try(paid: Payment, payer: Payer) -> None:
    refund = _sent_without_answer(paid, payer)
    Refund.objects.filter(id=refund.id).update(state=RefundState.FAILED, settled_at=NOW)
    retry = retry_refund(refund_id=refund.id, actor="staff:1", now=NOW)

    for _ in range(2):
        assert send_refund(refund_id=retry.id, now=NOW).state == RefundState.PROCESSED

    assert (_at_the_gateway(payer), Refund.objects.count()) == (1, 2)
    assert balance(paid) == paid.captured.amount_minor - retry.amount_minor


def test_refund_that_was_taken_for_failed_and_had_gone_counts(paid: Payment, payer: Payer) -> None:
    refund = _sent_without_answer(paid, payer)
    Refund.objects.filter(id=refund.id).update(state=RefundState.FAILED, settled_at=NOW)

    for _ in range(2):
        sync_refunds(payment_id=paid.id, now=NOW)

    found = paid.refunds.get(reason=RefundReason.EXTERNAL)
    assert (found.state, found.amount_minor) == (RefundState.PROCESSED, refund.amount_minor)
    assert balance(paid) == paid.captured.amount_minor - refund.amount_minor


def test_refund_that_a_hand_was_faster_with_is_not_even_asked_for(paid: Payment, payer: Payer) -> None:
    refund = _half(paid)
    payer.refund_by_hand(str(paid.provider_payment_id), paid.captured.amount_minor - 1)
    asked = payer.sandbox.calls(f"{payer.name}.refunds.create")

    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=NOW)

    refund.refresh_from_db()
    assert (refund.state, payer.sandbox.calls(f"{payer.name}.refunds.create")) == (RefundState.FAILED, asked)
