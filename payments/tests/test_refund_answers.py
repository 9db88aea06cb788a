"""What a gateway says of refunds, and what is asked of it for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import responses

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.vendors.errors import ProviderError
from payments.gateways import gateway_named
from payments.models import Payment, Refund
from payments.refunds import MoreThanIsLeft, request_refund, send_refund, sync_refunds
from payments.services import capture_payment
from payments.states import RefundReason, RefundState
from payments.tests.builders import NOW, make_captured_payment, make_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db
URL = "https://razorpay.test"


def _paid(payer: Payer) -> Payment:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=NOW)


def _request(payment: Payment, amount_minor: int | None = None) -> Refund:
    return request_refund(
        payment_id=payment.id, amount_minor=amount_minor, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )


def test_the_last_paisa_can_go_back() -> None:
    payment = make_captured_payment()
    _request(payment, 129899)

    assert _request(payment).amount_minor == 1


def test_a_refund_of_too_much_is_told_what_there_is() -> None:
    with pytest.raises(MoreThanIsLeft) as refusal:
        _request(make_captured_payment(), 129901)

    assert refusal.value.fields == {"amount": ["Between 0.01 and INR 1,299.00."]}


def test_a_refund_keeps_the_gateways_name_for_it(payer: Payer) -> None:
    refund = send_refund(refund_id=_request(_paid(payer), 500).id, now=NOW)

    (theirs,) = payer.sandbox.state()[payer.name]["refunds"]
    refund.refresh_from_db()
    assert refund.provider_refund_id == theirs["id"]


def test_a_refund_that_is_there_already_is_not_asked_for_again(payer: Payer) -> None:
    refund = _request(_paid(payer), 500)
    payer.sandbox.fault(payer.name, "drop", "refunds.create", times=2)
    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=NOW)
    asked = payer.sandbox.calls(f"{payer.name}.refunds.create")

    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.PROCESSED
    assert payer.sandbox.calls(f"{payer.name}.refunds.create") == asked


def test_a_refund_that_failed_is_not_sent_once_more(payer: Payer) -> None:
    refund = _request(_paid(payer), 500)
    payer.sandbox.fault(payer.name, "status", "refunds.create", status=400)
    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=NOW)

    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.FAILED
    assert payer.sandbox.state()[payer.name]["refunds"] == []


def test_a_refund_made_by_hand_waits_as_long_as_the_gateway_says(payer: Payer) -> None:
    payment = _paid(payer)
    payer.sandbox.fault(payer.name, "refund_pending", "refunds.create")
    payer.refund_by_hand(str(payment.provider_payment_id), 500)

    sync_refunds(payment_id=payment.id, now=NOW)

    refund = Refund.objects.get()
    assert (refund.state, refund.actor, refund.requested_at) == (RefundState.PENDING, f"vendor:{payer.name}", NOW)
    assert refund.provider_refund_id == payer.sandbox.state()[payer.name]["refunds"][0]["id"]


@pytest.fixture
def _made_up_razorpay(settings: Settings) -> Iterator[None]:
    settings.RAZORPAY_API_URL = URL
    gateway_named.cache_clear()
    yield
    gateway_named.cache_clear()


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_second_refund_under_our_key_is_not_taken_for_the_first() -> None:
    """A gateway forgets keys in time: what it then pays once more is money that is gone."""
    payment = make_captured_payment()
    ours = _request(payment, 500)
    told = {"status": "processed", "amount": 500, "currency": "INR", "notes": {"refund": str(ours.id)}}
    with responses.RequestsMock() as mock:
        mock.get(
            f"{URL}/v1/payments/{payment.provider_payment_id}/refunds",
            json={"items": [told | {"id": "rfnd_1"}, told | {"id": "rfnd_2"}]},
        )
        for _ in range(2):
            sync_refunds(payment_id=payment.id, now=NOW)

    found = Refund.objects.order_by("provider_refund_id").values_list("provider_refund_id", "reason", "state")
    assert list(found) == [("rfnd_1", "staff", "PROCESSED"), ("rfnd_2", "external", "PROCESSED")]


def _tell(payment: Payment, **refund: object) -> None:
    """Have Razorpay say this of a refund, and take note of it."""
    told = {"id": "rfnd_1", "amount": 500, "currency": "INR", "notes": []} | refund
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/payments/{payment.provider_payment_id}/refunds", json={"items": [told]})
        sync_refunds(payment_id=payment.id, now=NOW)


def _settled() -> tuple[list[str], list[str]]:
    """What is on record of settled refunds, and what was asked to be told of them."""
    actions = AuditEvent.objects.exclude(action="refund.requested").values_list("action", flat=True)
    topics = OutboxMessage.objects.exclude(topic="refund.send").values_list("topic", flat=True)
    return list(actions), list(topics)


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_refund_that_was_never_noted_as_sent_is_believed_when_the_gateway_has_it() -> None:
    payment = make_captured_payment()
    refund = _request(payment, 500)

    for _ in range(2):
        _tell(payment, status="processed", notes={"refund": str(refund.id)})

    refund.refresh_from_db()
    assert (refund.state, refund.settled_at, refund.provider_refund_id) == (RefundState.PROCESSED, NOW, "rfnd_1")
    assert _settled() == (["refund.processed"], ["refund.processed"])


@pytest.mark.usefixtures("_made_up_razorpay")
@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (RefundState.PROCESSED, "pending", RefundState.PROCESSED),
        (RefundState.PENDING, "pending", RefundState.PENDING),
        (RefundState.FAILED, "processed", RefundState.FAILED),
        (RefundState.FAILED, "pending", RefundState.FAILED),
        (RefundState.FAILED, "failed", RefundState.FAILED),
    ],
)
def test_news_that_are_none_change_nothing(ours: RefundState, theirs: str, expected: RefundState) -> None:
    payment = make_captured_payment()
    refund = _request(payment, 500)
    Refund.objects.filter(id=refund.id).update(state=ours, provider_refund_id="rfnd_1")

    _tell(payment, status=theirs)

    refund.refresh_from_db()
    assert (refund.state, refund.settled_at, _settled()) == (expected, None, ([], []))


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_refund_that_fails_is_on_record_and_nobody_is_told_that_it_arrived() -> None:
    payment = make_captured_payment()
    refund = _request(payment, 500)

    _tell(payment, status="failed", notes={"refund": str(refund.id)})

    payment.refresh_from_db()
    assert (payment.attention, _settled()) == ("refund_failed", (["refund.failed"], []))


@pytest.mark.usefixtures("_made_up_razorpay")
@pytest.mark.parametrize(
    ("attention", "expected"),
    [("amount_mismatch", ""), ("refund_failed", ""), ("dispute", "dispute"), ("dispute_lost", "dispute_lost")],
)
def test_the_last_of_the_money_settles_every_doubt_but_a_banks(attention: str, expected: str) -> None:
    payment = make_captured_payment(captured_amount_minor=500)
    _request(payment)
    Payment.objects.update(attention=attention)

    _tell(payment, status="processed", notes={"refund": str(Refund.objects.get().id)})

    payment.refresh_from_db()
    assert payment.attention == expected


@pytest.mark.usefixtures("_made_up_razorpay")
def test_a_part_of_the_money_settles_no_doubt_about_it() -> None:
    payment = make_captured_payment(attention="amount_mismatch")
    refund = _request(payment, 500)

    _tell(payment, status="processed", notes={"refund": str(refund.id)})

    payment.refresh_from_db()
    assert payment.attention == "amount_mismatch"
