"""Money that is not what was asked for: kept, booked by nobody, shown to a person, who accepts or refunds it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.vendors.errors import ProviderError
from payments.attention import NothingToAccept, accept_payment
from payments.comparison import difference
from payments.gateways.base import Charge
from payments.models import Payment, Refund
from payments.queries import refundable
from payments.refunds import request_refund, retry_refund, send_refund, sync_refunds
from payments.services import PaymentUnusable, capture_payment, lock_spendable
from payments.states import ACCEPTABLE, Attention, PaymentState, RefundReason
from payments.tests.builders import NOW, announced, make_captured_payment, make_order, make_payment

if TYPE_CHECKING:
    from django.test import Client

    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db
CHANGELIST = "admin:payments_payment_changelist"


def _charge(payment: Payment, **overrides: object) -> Charge:
    """What the gateway says when everything is as asked."""
    said: dict[str, object] = {
        "provider_payment_id": "pay_1",
        "state": PaymentState.CAPTURED,
        "paid": payment.price,
        "provider_order_id": str(payment.provider_order_id),
        "receipt": str(payment.id),
        "is_live": False,
    }
    return Charge(**(said | overrides))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({}, Attention.NONE),
        ({"provider_order_id": "order_x"}, Attention.ORDER),
        ({"receipt": "5e0f6a54-0000-4000-8000-000000000001"}, Attention.REFERENCE),
        ({"is_live": True}, Attention.MODE),
        ({"provider_order_id": "order_x", "receipt": "x", "is_live": True}, Attention.ORDER),
        ({"provider_order_id": "", "receipt": "", "is_live": None}, Attention.NONE),
    ],
)
def test_difference_names_what_belongs_elsewhere(overrides: dict[str, object], reason: Attention) -> None:
    payment = make_payment(is_live=False)

    assert difference(payment, _charge(payment, **overrides)) == reason


@pytest.mark.parametrize("said", [True, False])
def test_difference_cannot_tell_the_mode_of_a_row_from_before_it_was_kept(said: bool) -> None:
    payment = make_payment(is_live=None)

    assert difference(payment, _charge(payment, is_live=said)) == Attention.NONE


def test_an_order_keeps_the_mode_it_was_made_in(payer: Payer) -> None:
    assert make_order(payer).is_live is payer.gateway().is_live is False


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"is_live": True}, Attention.MODE), ({"amount_minor": 1}, Attention.AMOUNT), ({"currency": "EUR"}, "currency")],
)
def test_capture_payment_that_differs_is_kept_and_calls_a_person(
    payer: Payer, change: dict[str, object], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    Payment.objects.filter(id=payment.id).update(**change)

    found = capture_payment(payment_id=payment.id, now=NOW)

    assert (found.state, found.captured) == ("CAPTURED", payer.price)
    assert found.attention.startswith(reason)
    assert announced() == []
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"payment {payment.id} needs a person: {found.attention}"
    ]
    with pytest.raises(PaymentUnusable):
        lock_spendable(payment.id)
    assert refundable(found) == payer.price


def test_capture_payment_of_an_order_made_for_another_row_waits_for_a_person(payer: Payer) -> None:
    paid, other = make_order(payer), make_order(payer)
    session_id = str(paid.provider_order_id)
    payer.pay(session_id)
    Payment.objects.filter(id=paid.id).update(provider_order_id=None)
    Payment.objects.filter(id=other.id).update(provider_order_id=session_id)

    found = capture_payment(payment_id=other.id, now=NOW)

    assert (found.state, found.attention, announced()) == ("CAPTURED", Attention.REFERENCE, [])


@pytest.mark.parametrize("reason", ACCEPTABLE)
def test_accept_payment_lets_it_buy_what_it_was_made_for(reason: Attention) -> None:
    payment = make_captured_payment(attention=reason, captured_amount_minor=100)

    accepted = accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)

    assert (accepted.attention, lock_spendable(payment.id)) == ("", payment)
    assert announced() == [(f"payment:{payment.id}", {"payment_id": str(payment.id), "reference": "visit-1"})]
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target) == ("payment.accepted", "staff:1", f"payment:{payment.id}")
    assert event.details == {"attention": reason, "amount": 100, "currency": "INR"}


@pytest.mark.parametrize("reason", sorted(set(Attention) - set(ACCEPTABLE)))
def test_accept_payment_refuses_what_nobody_may_wave_through(reason: str) -> None:
    payment = make_captured_payment(attention=reason)

    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)

    assert (Payment.objects.get().attention, announced()) == (reason, [])


def test_accept_payment_a_second_time_is_refused() -> None:
    payment = make_captured_payment(attention=Attention.AMOUNT)
    accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)

    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)

    assert len(announced()) == 1


def test_accept_payment_refuses_what_is_on_its_way_back() -> None:
    payment = make_captured_payment(attention=Attention.AMOUNT)
    request_refund(payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)
    assert Payment.objects.get().attention == Attention.AMOUNT


def test_staff_accept_in_the_admin_after_a_question(admin_client: Client) -> None:
    payment = make_captured_payment(attention=Attention.AMOUNT, captured_amount_minor=100)
    form = {"action": "accept", "_selected_action": [str(payment.id)]}

    question = admin_client.post(reverse(CHANGELIST), form)
    payment.refresh_from_db()
    assert (payment.attention, "INR 1.00 of INR 1,299.00" in question.content.decode()) == ("amount_mismatch", True)

    admin_client.post(reverse(CHANGELIST), form | {"confirmed": "yes"})
    payment.refresh_from_db()
    assert payment.attention == ""


def _paid_wrong(payer: Payer) -> Payment:
    """A payment of another amount, really paid in the sandbox."""
    payment = make_order(payer, reference="")
    call = "payments.pay" if payer.name == "razorpay" else "sessions.pay"
    payer.sandbox.fault(payer.name, "amount_altered", call, amount=700)
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=NOW)


def _refund_of(payment: Payment, amount_minor: int) -> Refund:
    return request_refund(
        payment_id=payment.id, amount_minor=amount_minor, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )


def _refund_all(payment: Payment) -> Refund:
    return request_refund(payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW)


def test_a_refund_of_all_the_money_settles_the_matter(payer: Payer) -> None:
    payment = _paid_wrong(payer)

    refund = _refund_all(payment)
    payment.refresh_from_db()
    assert payment.attention == "amount_mismatch"  # until the money is back, somebody must look
    send_refund(refund_id=refund.id, now=NOW)

    payment.refresh_from_db()
    assert (refund.amount_minor, payment.attention) == (700, "")


def test_a_refund_of_a_part_leaves_the_rest_to_be_looked_at(payer: Payer) -> None:
    payment = _paid_wrong(payer)
    refund = request_refund(
        payment_id=payment.id, amount_minor=200, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )

    send_refund(refund_id=refund.id, now=NOW)

    payment.refresh_from_db()
    assert payment.attention == "amount_mismatch"


def test_a_refund_that_fails_calls_a_person_until_it_has_gone_through(
    payer: Payer, caplog: pytest.LogCaptureFixture
) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=NOW)
    payer.sandbox.fault(payer.name, "refund_pending", "refunds.create")
    refund = send_refund(refund_id=_refund_all(payment).id, now=NOW)
    payer.sandbox.settle(f"{payer.name}/refunds", str(refund.provider_refund_id), "failed")

    for _ in range(2):
        sync_refunds(payment_id=payment.id, now=NOW)

    payment.refresh_from_db()
    assert (payment.attention, refundable(payment)) == ("refund_failed", payer.price)
    alerts = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert alerts == [f"payment {payment.id} needs a person: refund_failed"]

    send_refund(refund_id=retry_refund(refund_id=refund.id, actor="staff:1", now=NOW).id, now=NOW)
    payment.refresh_from_db()
    assert payment.attention == ""


def test_another_refund_does_not_hide_one_that_failed(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=NOW)
    failed, other = (_refund_of(payment, amount) for amount in (300, 200))
    payer.sandbox.fault(payer.name, "status", "refunds.create", status=400)
    with pytest.raises(ProviderError):
        send_refund(refund_id=failed.id, now=NOW)

    send_refund(refund_id=other.id, now=NOW)
    payment.refresh_from_db()
    assert payment.attention == "refund_failed"

    again = retry_refund(refund_id=failed.id, actor="staff:1", now=NOW)
    send_refund(refund_id=again.id, now=NOW)
    payment.refresh_from_db()
    assert (again.retry_of, again.amount_minor, payment.attention) == (failed, 300, "")


def test_a_refund_of_everything_settles_one_that_failed_before(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=NOW)
    payer.sandbox.fault(payer.name, "status", "refunds.create", status=400)
    with pytest.raises(ProviderError):
        send_refund(refund_id=_refund_of(payment, 300).id, now=NOW)

    send_refund(refund_id=_refund_all(payment).id, now=NOW)

    payment.refresh_from_db()
    assert payment.attention == ""


def test_an_automatic_refund_that_is_refused_for_good_reaches_a_person(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    payment = capture_payment(payment_id=payment.id, now=NOW)
    Payment.objects.filter(id=payment.id).update(captured_amount_minor=payer.price.amount_minor + 1)

    request_refund(payment_id=payment.id, amount_minor=None, reason=RefundReason.UNSPENT, actor="system", now=NOW)
    deliver_due(now=NOW, limit=10)

    payment.refresh_from_db()
    assert payment.attention == "refund_failed"
