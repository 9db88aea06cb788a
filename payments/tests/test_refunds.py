from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment, Refund
from payments.money import Money
from payments.queries import is_untouched, refundable
from payments.reconciliation import apply_webhook, refresh_payment
from payments.refunds import (
    MoreThanIsLeft,
    NotFailed,
    NothingToRefund,
    request_refund,
    retry_refund,
    send_refund,
    sync_refunds,
)
from payments.services import PaymentGoneBack, PaymentUnusable, capture_payment, lock_spendable
from payments.states import REFUND_MOVES, ImpossibleMove, RefundReason, RefundState
from payments.tests.builders import NOW, make_captured_payment, make_order, make_payment

if TYPE_CHECKING:
    from payments.tests.payers import Payer, RazorpayPayer

pytestmark = pytest.mark.django_db


def _request(payment: Payment, amount_minor: int | None = None, **overrides: Any) -> Refund:
    values: dict[str, Any] = {"reason": RefundReason.STAFF, "actor": "staff:1", "now": NOW}
    return request_refund(payment_id=payment.id, amount_minor=amount_minor, **(values | overrides))


def _paid(payer: Payer, now: datetime) -> Payment:
    """A payment that was really paid in the sandbox."""
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=now)


def _returned(payer: Payer) -> list[int]:
    """What the sandbox's books say went back, in minor units."""
    return [refund["amount"] for refund in payer.sandbox.state()[payer.name]["refunds"]]


def test_refund_table_is_the_design() -> None:
    assert {(before.value, after.value) for before, afters in REFUND_MOVES.items() for after in afters} == {
        ("REQUESTED", "PENDING"),
        ("PENDING", "PROCESSED"),
        ("PENDING", "FAILED"),
        ("PROCESSED", "FAILED"),
    }


def test_refund_refuses_an_impossible_move() -> None:
    refund = _request(make_captured_payment())

    with pytest.raises(ImpossibleMove):
        refund.move_to(RefundState.PROCESSED)


@pytest.mark.parametrize("state", RefundState)
def test_refund_that_failed_is_at_its_end(state: RefundState) -> None:
    with pytest.raises(ImpossibleMove):
        Refund(state=RefundState.FAILED).move_to(state)


def test_request_refund_writes_the_row_the_event_and_the_message() -> None:
    payment = make_captured_payment()

    refund = _request(payment, 50000)

    assert (refund.state, refund.amount, refund.actor) == (RefundState.REQUESTED, Money(50000, "INR"), "staff:1")
    message = OutboxMessage.objects.get()
    assert (message.topic, message.lane, message.payload) == (
        "refund.send",
        f"payment:{payment.id}",
        {"refund_id": str(refund.id)},
    )
    event = AuditEvent.objects.get(action="refund.requested")
    assert (event.actor, event.details["amount"]) == ("staff:1", 50000)


def test_request_refund_takes_all_that_is_left() -> None:
    payment = make_captured_payment()
    _request(payment, 50000)

    assert _request(payment).amount_minor == 79900


@pytest.mark.parametrize("amount", [0, -1, 129901])
def test_request_refund_refuses_more_than_is_left(amount: int) -> None:
    payment = make_captured_payment()

    with pytest.raises(MoreThanIsLeft) as refusal:
        _request(payment, amount)

    assert (list(refusal.value.fields), Refund.objects.count()) == (["amount"], 0)


def test_request_refund_counts_what_is_on_its_way() -> None:
    payment = make_captured_payment()
    _request(payment)

    with pytest.raises(NothingToRefund):
        _request(payment)


def test_request_refund_forgets_what_failed() -> None:
    payment = make_captured_payment()
    Refund.objects.filter(id=_request(payment).id).update(state=RefundState.FAILED)

    assert refundable(payment) == Money(129900, "INR")


def test_request_refund_needs_money() -> None:
    with pytest.raises(NothingToRefund):
        _request(make_payment())


def test_lock_spendable_refuses_what_went_back_in_part() -> None:
    payment = make_captured_payment()
    lock_spendable(payment.id)
    _request(payment, 1)

    with pytest.raises(PaymentUnusable) as refusal:
        lock_spendable(payment.id)
    assert (refusal.type, is_untouched(payment)) == (PaymentUnusable, False)


def test_lock_spendable_says_of_what_went_back_whole_that_it_may_be_paid_anew() -> None:
    payment = make_captured_payment()
    _request(payment)

    with pytest.raises(PaymentGoneBack):
        lock_spendable(payment.id)
    with pytest.raises(PaymentUnusable) as refusal:
        lock_spendable(make_payment().id)
    assert refusal.type is PaymentUnusable


def test_send_refund_pays_back_at_the_gateway(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)
    refund = send_refund(refund_id=_request(payment, 500).id, now=now)

    assert (refund.state, refund.settled_at, _returned(payer)) == (RefundState.PROCESSED, now, [500])
    assert refund.provider_refund_id is not None


def test_send_refund_twice_pays_once(payer: Payer, now: datetime) -> None:
    refund = _request(_paid(payer, now))

    send_refund(refund_id=refund.id, now=now)
    send_refund(refund_id=refund.id, now=now)

    assert _returned(payer) == [payer.price.amount_minor]


def test_send_refund_whose_answer_was_lost_pays_once(payer: Payer, now: datetime) -> None:
    refund = _request(_paid(payer, now))
    payer.sandbox.fault(payer.name, "drop", "refunds.create", times=None)
    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=now)
    refund.refresh_from_db()
    payer.sandbox.clear_faults()

    again = send_refund(refund_id=refund.id, now=now + timedelta(days=3))

    assert (refund.state, again.state) == (RefundState.PENDING, RefundState.PROCESSED)
    assert _returned(payer) == [payer.price.amount_minor]


def test_send_refund_of_two_equal_parts_pays_both(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)

    for refund in (_request(payment, 500), _request(payment, 500)):
        send_refund(refund_id=refund.id, now=now)

    assert _returned(payer) == [500, 500]


@pytest.mark.parametrize("kind", ["refuse", "html_502", "bare_500", "rate_limited"])
def test_send_refund_without_an_answer_stays_pending(kind: str, payer: Payer, now: datetime) -> None:
    refund = _request(_paid(payer, now))
    payer.sandbox.fault(payer.name, kind, "refunds.create", times=None)

    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=now)

    refund.refresh_from_db()
    assert (refund.state, _returned(payer)) == (RefundState.PENDING, [])


def test_send_refund_that_the_gateway_refuses_fails(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)
    payment_id = str(payment.provider_payment_id)
    refund = _request(payment)
    # Somebody was faster, in the dashboard.
    payer.refund_by_hand(payment_id, payer.price.amount_minor)

    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=now)

    refund.refresh_from_db()
    assert (refund.state, _returned(payer)) == (RefundState.FAILED, [payer.price.amount_minor])
    # And what was in its way is known from now on.
    assert payment.refunds.get(reason=RefundReason.EXTERNAL).amount == payer.price


def test_send_refund_of_a_payment_that_the_gateway_does_not_know_fails(payer: Payer, now: datetime) -> None:
    payment = make_captured_payment(gateway=payer.name, provider_payment_id=payer.unknown_payment_id)
    refund = _request(payment)

    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=now)

    refund.refresh_from_db()
    assert refund.state == RefundState.FAILED


def test_refund_that_is_slow_at_the_bank_ends_by_the_reconciler(payer: Payer, now: datetime) -> None:
    refund = _request(_paid(payer, now))
    payer.sandbox.fault(payer.name, "refund_pending", "refunds.create", then=None)
    pending = send_refund(refund_id=refund.id, now=now)
    payer.sandbox.settle(f"{payer.name}/refunds", str(pending.provider_refund_id), "processed")

    refresh_payment(payment_id=refund.payment_id, now=now)

    refund.refresh_from_db()
    assert (pending.state, refund.state) == (RefundState.PENDING, RefundState.PROCESSED)


def test_refund_that_fails_late_is_taken_note_of_and_can_be_tried_again(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)
    payer.sandbox.fault(payer.name, "refund_pending", "refunds.create", then=None)
    refund = send_refund(refund_id=_request(payment).id, now=now)
    payer.sandbox.settle(f"{payer.name}/refunds", str(refund.provider_refund_id), "failed")

    refresh_payment(payment_id=payment.id, now=now)
    retried = retry_refund(refund_id=refund.id, actor="staff:1", now=now)

    refund.refresh_from_db()
    assert (refund.state, retried.state, retried.amount) == (RefundState.FAILED, RefundState.REQUESTED, payer.price)
    assert send_refund(refund_id=retried.id, now=now).state == RefundState.PROCESSED


def test_retry_refund_needs_a_failed_one() -> None:
    with pytest.raises(NotFailed):
        retry_refund(refund_id=_request(make_captured_payment()).id, actor="staff:1", now=NOW)


def test_sync_refunds_records_one_from_the_dashboard_once(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)
    payer.refund_by_hand(str(payment.provider_payment_id), 500)

    sync_refunds(payment_id=payment.id, now=now)
    sync_refunds(payment_id=payment.id, now=now)

    refund = Refund.objects.get()
    assert (refund.reason, refund.state, refund.amount_minor) == (RefundReason.EXTERNAL, RefundState.PROCESSED, 500)
    assert AuditEvent.objects.filter(action="refund.found").count() == 1


def test_sync_refunds_has_nothing_to_ask_without_money() -> None:
    sync_refunds(payment_id=make_payment().id, now=NOW)

    assert Refund.objects.count() == 0


def test_webhook_of_a_refund_brings_it_home(payer: Payer, now: datetime) -> None:
    payment = _paid(payer, now)
    payer.refund_by_hand(str(payment.provider_payment_id), 500)

    apply_webhook(gateway=payer.name, body=payer.body_about(str(payment.provider_order_id)).decode(), now=now)

    assert Refund.objects.get().amount_minor == 500


def test_second_capture_that_the_gateway_sent_back_itself_is_left_to_it(
    razorpay_payer: RazorpayPayer, now: datetime
) -> None:
    payment = make_order(razorpay_payer)
    order_id = str(payment.provider_order_id)
    first = razorpay_payer.pay(order_id, "pending")
    razorpay_payer.pay(order_id)
    razorpay_payer.sandbox.settle("razorpay/payments", first, "captured")

    capture_payment(payment_id=payment.id, now=now)

    assert (Payment.objects.count(), Refund.objects.count(), len(_returned(razorpay_payer))) == (1, 0, 1)


def test_outbox_delivers_a_refund_to_the_end(payer: Payer, now: datetime) -> None:
    _request(_paid(payer, now), now=now)

    deliver_due(now=now + timedelta(seconds=1), limit=10)

    assert (Refund.objects.get().state, _returned(payer)) == (RefundState.PROCESSED, [payer.price.amount_minor])


@pytest.mark.django_db(transaction=True)
def test_request_refund_from_two_connections_never_sends_more_than_was_paid() -> None:
    payment = make_captured_payment()

    def ask(_: int) -> str:
        try:
            _request(payment, 100000)
        except MoreThanIsLeft:
            return "refused"
        finally:
            connection.close()
        return "accepted"

    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(ask, range(8)))

    assert (answers.count("accepted"), refundable(payment)) == (1, Money(29900, "INR"))
