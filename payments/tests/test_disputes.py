"""A client's bank asks for the money back: what both gateways tell, and what we do with it."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import responses
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.registry import RetryLater
from payments.attention import NothingToAccept, accept_payment
from payments.disputes import sync_dispute, sync_disputes
from payments.gateways import gateway_named
from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway
from payments.models import Dispute, Payment
from payments.money import Money
from payments.queries import refundable
from payments.reconciliation import refresh_disputes
from payments.refunds import MoreThanIsLeft, NothingToRefund, PaymentDisputed, request_refund, send_refund
from payments.services import PaymentUnusable, lock_spendable
from payments.states import DISPUTE_MOVES, DisputeState, ImpossibleMove, RefundReason
from payments.tasks import reconcile_task
from payments.tests.bank import PATHS, hear_of_dispute, paid_at, raise_dispute, settle_dispute
from payments.tests.builders import NOW, make_captured_payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db
URL = "https://gateway.example"


def _attention(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.attention


def _refund(payment: Payment, amount_minor: int | None = None) -> Any:
    return request_refund(
        payment_id=payment.id, amount_minor=amount_minor, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )


@pytest.mark.parametrize(("start", "end"), list(product(DisputeState, DisputeState)))
def test_a_dispute_moves_as_the_table_allows(start: DisputeState, end: DisputeState) -> None:
    dispute = Dispute(state=start)

    if end in DISPUTE_MOVES[start]:
        dispute.move_to(end)
        assert dispute.state == end
    else:
        with pytest.raises(ImpossibleMove):
            dispute.move_to(end)
    assert (end in DISPUTE_MOVES[start]) is (start != end)


def test_a_dispute_is_kept_blocks_the_payment_and_calls_a_person(
    payer: Payer, caplog: pytest.LogCaptureFixture
) -> None:
    payment = paid_at(payer)

    dispute_id = raise_dispute(payer, payment)
    hear_of_dispute(payer)

    dispute = Dispute.objects.get()
    assert (dispute.payment, dispute.state, dispute.amount) == (payment, DisputeState.OPEN, payer.price)
    assert (dispute.provider_dispute_id, dispute.noticed_at, dispute.settled_at) == (dispute_id, NOW, None)
    assert dispute.reason
    assert timedelta(days=6) < (dispute.answer_by or NOW) - datetime.now(UTC) < timedelta(days=8)
    assert _attention(payment) == "dispute"
    with pytest.raises(PaymentUnusable):
        lock_spendable(payment.id)
    with pytest.raises(PaymentDisputed):
        _refund(payment)
    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)
    assert refundable(payment) == Money(0, payer.price.currency)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        f"payment {payment.id} needs a person: dispute"
    ]
    event = AuditEvent.objects.get(action="dispute.open")
    assert (event.target, event.actor) == (f"payment:{payment.id}", f"vendor:{payer.name}")


def test_a_dispute_that_is_won_frees_the_payment(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    settle_dispute(payer, dispute_id, "under_review")
    assert _attention(payment) == "dispute"

    settle_dispute(payer, dispute_id, "won")

    assert (_attention(payment), lock_spendable(payment.id)) == ("", payment)
    assert refundable(payment) == payer.price
    assert (Dispute.objects.get().state, Dispute.objects.get().settled_at) == (DisputeState.WON, NOW)


def test_a_dispute_that_is_lost_is_money_gone(payer: Payer) -> None:
    payment = paid_at(payer)

    settle_dispute(payer, raise_dispute(payer, payment), "lost")

    currency = payer.price.currency
    assert (_attention(payment), refundable(payment)) == ("dispute_lost", Money(0, currency))
    with pytest.raises(NothingToRefund):
        _refund(payment)
    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)


def test_a_dispute_about_a_part_that_is_lost_leaves_the_rest(payer: Payer) -> None:
    payment = paid_at(payer)
    settle_dispute(payer, raise_dispute(payer, payment, 600), "lost")

    left = payer.price.amount_minor - 600
    with pytest.raises(MoreThanIsLeft):
        _refund(payment, left + 1)
    assert _refund(payment, left).amount_minor == left


def test_a_dispute_that_the_bank_takes_up_again_blocks_again(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    settle_dispute(payer, dispute_id, "won")

    settle_dispute(payer, dispute_id, "open" if payer.name == "razorpay" else "needs_response")

    assert (_attention(payment), Dispute.objects.get().settled_at) == ("dispute", None)
    with pytest.raises(PaymentDisputed):
        _refund(payment)


def test_a_refund_that_was_asked_for_before_the_dispute_waits_for_the_bank(payer: Payer) -> None:
    payment = paid_at(payer)
    refund = _refund(payment)
    dispute_id = raise_dispute(payer, payment)

    with pytest.raises(RetryLater):
        send_refund(refund_id=refund.id, now=NOW)
    assert payer.sandbox.state()[payer.name]["refunds"] == []

    settle_dispute(payer, dispute_id, "won")
    assert send_refund(refund_id=refund.id, now=NOW).state == "PROCESSED"


def test_a_dispute_leaves_an_older_doubt_standing(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.filter(id=payment.id).update(attention="amount_mismatch")
    dispute_id = raise_dispute(payer, payment)

    assert _attention(payment) == "amount_mismatch"
    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)
    settle_dispute(payer, dispute_id, "won")
    assert _attention(payment) == "amount_mismatch"


@pytest.mark.parametrize("is_converted", [True, False])
def test_a_dispute_never_takes_more_than_had_come(is_converted: bool, payer: Payer) -> None:
    payment = paid_at(payer)
    currency = "EUR" if is_converted else payer.price.currency
    Payment.objects.filter(id=payment.id).update(captured_currency=currency, captured_amount_minor=500)

    raise_dispute(payer, payment)

    assert Dispute.objects.get().amount == Money(500, currency)


def test_a_dispute_in_another_currency_is_about_all_that_came_though_its_number_is_smaller(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.filter(id=payment.id).update(captured_currency="EUR")

    raise_dispute(payer, payment, 600)

    assert Dispute.objects.get().amount == Money(payer.price.amount_minor, "EUR")


def test_a_lost_dispute_calls_a_person_once_more(payer: Payer, caplog: pytest.LogCaptureFixture) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    caplog.clear()

    settle_dispute(payer, dispute_id, "lost")

    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [f"payment {payment.id} needs a person: dispute_lost"]


def test_a_dispute_about_money_that_is_not_ours_is_left_alone(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.filter(id=payment.id).update(provider_payment_id="pay_other")
    raised = payer.sandbox.dispute(PATHS[payer.name], str(payment.provider_payment_id))

    assert sync_dispute(gateway=payer.name, provider_dispute_id=str(raised["id"]), now=NOW) is None
    assert Dispute.objects.count() == 0


def test_a_dispute_that_no_webhook_told_of_is_found(payer: Payer) -> None:
    payment = paid_at(payer)
    raised = payer.sandbox.dispute(PATHS[payer.name], str(payment.provider_payment_id))

    assert (sync_disputes(gateway=payer.name, now=NOW), _attention(payment)) == (1, "dispute")

    payer.sandbox.settle(f"{payer.name}/disputes", str(raised["id"]), "won")
    reconcile_task()
    assert _attention(payment) == ""


@pytest.fixture
def _made_up_razorpay(settings: Settings) -> Iterator[None]:
    settings.RAZORPAY_API_URL = URL
    gateway_named.cache_clear()
    yield
    gateway_named.cache_clear()


@pytest.mark.usefixtures("_made_up_razorpay")
def test_an_undecided_dispute_that_is_not_among_the_newest_is_asked_for_by_its_id() -> None:
    payment = make_captured_payment()
    told = {"id": "disp_1", "payment_id": payment.provider_payment_id, "amount": 100, "currency": "INR"}
    Dispute.objects.create(
        payment=payment, provider_dispute_id="disp_1", amount_minor=100, currency="INR", noticed_at=NOW
    )
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes", json={"items": []})
        mock.get(f"{URL}/v1/disputes/disp_1", json=told | {"status": "won"})
        assert sync_disputes(gateway="razorpay", now=NOW) == 1

    assert Dispute.objects.get().state == DisputeState.WON


@pytest.mark.usefixtures("_made_up_razorpay")
def test_what_is_settled_or_the_other_gateways_is_not_asked_for() -> None:
    values = {"amount_minor": 100, "currency": "INR", "noticed_at": NOW}
    for gateway, state in (("razorpay", DisputeState.WON), ("stripe", DisputeState.OPEN)):
        payment = make_captured_payment(gateway=gateway)
        Dispute.objects.create(payment=payment, provider_dispute_id=f"disp_{gateway}", state=state, **values)
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes", json={"items": []})

        assert sync_disputes(gateway="razorpay", now=NOW) == 0


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_dispute_that_is_among_the_newest_is_not_asked_for_once_more() -> None:
    payment = make_captured_payment()
    told = {"id": "disp_1", "payment_id": payment.provider_payment_id, "amount": 100, "currency": "INR"}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes", json={"items": [told | {"status": "open"}]})

        counts = [sync_disputes(gateway="razorpay", now=NOW) for _ in range(2)]

        assert (counts, len(mock.calls), Dispute.objects.count()) == ([1, 1], 2, 1)


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_dispute_that_nobody_thought_of_does_not_stop_the_next() -> None:
    payment = make_captured_payment()
    told = {"payment_id": payment.provider_payment_id, "currency": "INR", "status": "open"}
    odd, usual = told | {"id": "disp_1", "amount": 0}, told | {"id": "disp_2", "amount": 100}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes", json={"items": [odd, usual]})
        with pytest.raises(IntegrityError):
            sync_disputes(gateway="razorpay", now=NOW)

    assert [dispute.provider_dispute_id for dispute in Dispute.objects.all()] == ["disp_2"]


def test_a_gateway_that_is_silent_about_disputes_does_not_stop_the_other(payer: Payer) -> None:
    payer.sandbox.fault(payer.name, "refuse", "disputes.list", times=None)

    assert sorted(map(str, refresh_disputes(now=NOW))) == ["0", "None"]
    with pytest.raises(CommandError, match="could not be asked about"):
        call_command("reconcile_payments")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("open", DisputeState.OPEN),
        ("action_required", DisputeState.OPEN),
        ("under_review", DisputeState.UNDER_REVIEW),
        ("won", DisputeState.WON),
        ("closed", DisputeState.WON),
        ("lost", DisputeState.LOST),
    ],
)
def test_every_status_of_razorpays_has_its_state(status: str, state: DisputeState) -> None:
    gateway = RazorpayGateway(key_id="rzp_test_1", key_secret="s", webhook_secrets=["w"], base_url=URL)
    shown = {"id": "disp_1", "payment_id": "pay_1", "amount": 900, "amount_deducted": 700, "currency": "INR"}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes/disp_1", json=shown | {"status": status})
        told = gateway.dispute("disp_1")

    amount = 700 if state == DisputeState.LOST else 900
    assert (told.state, told.amount, told.reason, told.answer_by) == (state, Money(amount, "INR"), "", None)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", DisputeState.OPEN),
        ("warning_needs_response", DisputeState.OPEN),
        ("under_review", DisputeState.UNDER_REVIEW),
        ("warning_under_review", DisputeState.UNDER_REVIEW),
        ("warning_closed", DisputeState.WON),
        ("prevented", DisputeState.WON),
        ("won", DisputeState.WON),
        ("lost", DisputeState.LOST),
    ],
)
def test_every_status_of_stripes_has_its_state(status: str, state: DisputeState) -> None:
    gateway = StripeGateway(secret_key="sk_test_1", webhook_secrets=["w"], base_url=URL)
    shown = {
        "id": "du_1",
        "object": "dispute",
        "payment_intent": {"id": "pi_1", "object": "payment_intent"},
        "amount": 900,
        "currency": "usd",
        "reason": "general",
        "evidence_details": {"due_by": None},
    }
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/disputes/du_1", json=shown | {"status": status})
        told = gateway.dispute("du_1")

    assert (told.provider_payment_id, told.state, told.amount) == ("pi_1", state, Money(900, "USD"))


@pytest.mark.parametrize("odd", ["../payments/pay_1", "disp_1/accept", "du_1?x", "", None, 5, ["disp_1"]])
def test_a_webhook_cannot_lead_us_to_another_address(payer: Payer, odd: object) -> None:
    razorpay = {"event": "payment.dispute.created", "payload": {"dispute": {"entity": {"id": odd}}}}
    stripe = {"type": "charge.dispute.created", "data": {"object": {"object": "dispute", "id": odd}}}

    assert payer.gateway().dispute_of_webhook(json.dumps(razorpay | stripe)) is None


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_disputes_in_a_fixed_number_of_queries(
    count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        Dispute.objects.create(
            payment=make_captured_payment(),
            provider_dispute_id=f"disp_{number}",
            amount_minor=100,
            currency="INR",
            noticed_at=NOW,
        )

    admin_client.get(reverse("admin:payments_dispute_changelist"))  # the first click of a minute renews the session

    with django_assert_num_queries(5):
        response = admin_client.get(reverse("admin:payments_dispute_changelist"))

    assert len(response.context["cl"].result_list) == count
