"""Two real connections want the same payment at the same moment; each pair is held at its lock, then let go."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from mindfulqalb.api.errors import Refusal
from mindfulqalb.webhooks.tests.connections import await_waiting, start_threads
from payments.attention import accept_payment
from payments.disputes import sync_disputes
from payments.models import Payment, Refund
from payments.queries import refundable
from payments.reconciliation import apply_webhook
from payments.refunds import request_refund, send_refund
from payments.services import abandon_orders, capture_payment, verify_return
from payments.states import PaymentState, RefundReason
from payments.tests.builders import NOW, announced, make_captured_payment, make_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from payments.tests.payers import Payer, RazorpayPayer, StripePayer

pytestmark = pytest.mark.django_db(transaction=True)


def _refund(payment: Payment, amount_minor: int | None = None) -> Refund:
    return request_refund(
        payment_id=payment.id, amount_minor=amount_minor, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )


def _at_the_lock(payment: Payment, *works: Callable[[], Any]) -> list[Future[Any]]:
    """Start each work on a connection of its own, let all come as far as the payment's lock, and open it."""
    running: list[Future[Any]] = []
    with transaction.atomic():
        Payment.objects.locked(payment.id)
        for number, work in enumerate(works, start=1):
            running += start_threads(work, count=1)
            await_waiting(number)
    return running


def _outcome(work: Future[Any]) -> str:
    try:
        work.result(timeout=10)
    except Refusal as refusal:
        return refusal.code
    return "ok"


@pytest.mark.parametrize("verify_first", [True, False])
def test_webhook_against_verify_takes_note_once(verify_first: bool, razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    told = razorpay_payer.sandbox.pay_razorpay(str(payment.provider_order_id))
    body = razorpay_payer.body_about(str(payment.provider_order_id)).decode()

    works = [
        lambda: apply_webhook(gateway="razorpay", body=body, now=NOW),
        lambda: verify_return(
            provider_order_id=str(payment.provider_order_id),
            provider_payment_id=told["razorpay_payment_id"],
            signature=told["razorpay_signature"],
            now=NOW,
        ),
    ]

    done = _at_the_lock(payment, *(works[::-1] if verify_first else works))

    assert [_outcome(work) for work in done] == ["ok", "ok"]
    assert (Payment.objects.get().state, len(announced())) == (PaymentState.CAPTURED, 1)


def test_two_refunds_of_everything_at_once_are_one() -> None:
    payment = make_captured_payment()

    works = _at_the_lock(payment, lambda: _refund(payment), lambda: _refund(payment))

    assert sorted(_outcome(work) for work in works) == ["nothing_to_refund", "ok"]
    assert [refund.amount_minor for refund in Refund.objects.all()] == [129900]


@pytest.mark.parametrize("amounts", [(129900, 1), (1, 129900)])
def test_two_refunds_of_more_than_there_is_are_one(amounts: tuple[int, int]) -> None:
    """Whoever comes first has it, and both in each order."""
    payment = make_captured_payment()

    works = _at_the_lock(payment, *(partial(_refund, payment, amount) for amount in amounts))

    codes = [_outcome(work) for work in works]
    (refund,) = Refund.objects.all()
    assert sorted(codes) == ["more_than_is_left" if refund.amount_minor == 1 else "nothing_to_refund", "ok"]
    assert refund.amount_minor == amounts[codes.index("ok")]


def test_a_refund_that_is_sent_by_two_at_once_is_one_at_the_gateway(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    payment = capture_payment(payment_id=payment.id, now=NOW)
    refund = _refund(payment)

    works = _at_the_lock(payment, *[partial(send_refund, refund_id=refund.id, now=NOW)] * 2)

    assert [_outcome(work) for work in works] == ["ok", "ok"]
    assert [each["amount"] for each in payer.sandbox.state()[payer.name]["refunds"]] == [payer.price.amount_minor]
    assert [(each.reason, each.state) for each in Refund.objects.all()] == [("staff", "PROCESSED")]


@pytest.mark.parametrize("refund_first", [True, False])
def test_refund_against_capture_sends_back_what_has_come_or_nothing(
    refund_first: bool,
    payer: Payer,
) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    works = [lambda: capture_payment(payment_id=payment.id, now=NOW), lambda: _refund(payment)]

    done = _at_the_lock(payment, *(works[::-1] if refund_first else works))

    codes = [_outcome(work) for work in done]
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    assert sorted(set(codes) - {"ok"}) in ([], ["nothing_to_refund"])
    left = payer.price.amount_minor - sum(refund.amount_minor for refund in Refund.objects.all())
    assert (refundable(payment).amount_minor, left) in ([(0, 0)] if set(codes) == {"ok"} else [(left, left)])


@pytest.mark.parametrize("expiry_first", [True, False])
def test_expiry_against_capture_ends_captured(
    expiry_first: bool,
    stripe_payer: StripePayer,
) -> None:
    """The session ended for us a moment before its money came: whichever is written last, the money stands."""
    payment = make_order(stripe_payer)
    stripe_payer.pay(str(payment.provider_order_id))
    works = [
        lambda: abandon_orders(reference="visit-1", now=NOW),
        lambda: capture_payment(payment_id=payment.id, now=NOW),
    ]

    done = _at_the_lock(payment, *(works if expiry_first else works[::-1]))

    assert [_outcome(work) for work in done] == ["ok", "ok"]
    assert (Payment.objects.get().state, len(announced())) == (PaymentState.CAPTURED, 1)


def _locks(work: Callable[[], object]) -> list[str]:
    """Name the tables whose rows a piece of work locks, in the order of the captured SQL."""
    with CaptureQueriesContext(connection) as captured:
        work()
    found = [re.findall(r'FROM "(\w+)".* FOR UPDATE', query["sql"], re.DOTALL) for query in captured.captured_queries]
    return [table for tables in found for table in tables]


def test_money_is_only_touched_under_its_payments_lock(payer: Payer) -> None:
    """One lock for all that belongs to a payment: who holds no second one cannot wait in a circle."""
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))

    assert _locks(lambda: capture_payment(payment_id=payment.id, now=NOW)) == ["payments"]
    refunds: list[Refund] = []
    assert _locks(lambda: refunds.append(_refund(payment))) == ["payments"]
    # Before it is sent, and when the answer is written down.
    assert _locks(lambda: send_refund(refund_id=refunds[0].id, now=NOW)) == ["payments"] * 2
    path = "razorpay/payments" if payer.name == "razorpay" else "stripe/payment_intents"
    payment.refresh_from_db()
    payer.sandbox.dispute(path, str(payment.provider_payment_id))
    assert _locks(lambda: sync_disputes(gateway=payer.name, now=NOW)) == ["payments"]
    wrong = make_captured_payment(attention="amount_mismatch")
    assert _locks(lambda: accept_payment(payment_id=wrong.id, actor="staff:1", now=NOW)) == ["payments"]
