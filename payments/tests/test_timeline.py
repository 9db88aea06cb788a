"""A payment's whole story, on one page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.urls import reverse

from mindfulqalb.audit.services import record_read
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Dispute
from payments.refunds import request_refund
from payments.services import abandon_orders, receive_webhook
from payments.states import RefundReason
from payments.tests.builders import make_captured_payment, make_order, make_payment
from payments.timeline import purchases_of, story_of

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from payments.models import Payment, Refund
    from payments.tests.payers import Payer, RazorpayPayer

pytestmark = pytest.mark.django_db

MILESTONES = (
    "The client was asked to pay INR 1,299.00 by Razorpay",
    "An attempt to pay failed",
    "The money arrived",
)


def _deliver_all() -> None:
    for minutes in (1, 2):
        deliver_due(now=datetime.now(UTC) + timedelta(minutes=minutes), limit=20)


def _notify(payer: Payer, payment: Payment, event_id: str) -> None:
    body = payer.body_about(str(payment.provider_order_id))
    headers = payer.sign(body, event_id=event_id)
    receive_webhook(gateway=payer.name, body=body, headers=headers, now=datetime.now(UTC))


def test_timeline_tells_of_a_look_at_personal_data() -> None:
    payment = make_captured_payment()
    record_read(
        actor="staff:1",
        target=f"payment:{payment.id}",
        fields=["email", "name"],
        reason="they called",
        now=payment.created_at,
    )

    assert "The client's details were looked at" in [chapter.what for chapter in story_of(payment, ())]


def test_timeline_tells_order_attempt_webhooks_capture_and_refund_in_order(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer, reference="")
    razorpay_payer.pay(str(payment.provider_order_id), "failed")
    _notify(razorpay_payer, payment, "evt_1")
    _deliver_all()
    razorpay_payer.pay(str(payment.provider_order_id))
    _notify(razorpay_payer, payment, "evt_2")
    WebhookDelivery.objects.filter(event_id="evt_2").update(processed_at=None)
    _deliver_all()
    request_refund(
        payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=datetime.now(UTC)
    )

    story = story_of(payment, ())
    told = [chapter.what for chapter in story]

    assert [what for what in told if what in MILESTONES] == [*MILESTONES]
    assert (told.count("Razorpay told us: the money has arrived"), told.count("A refund was asked for")) == (2, 1)
    assert sorted(chapter.at for chapter in story) == [chapter.at for chapter in story]


def test_webhook_is_found_again_by_its_payment(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))

    _notify(payer, payment, "evt_1")
    _deliver_all()

    assert WebhookDelivery.objects.get().about == f"payment:{payment.id}"


def test_timeline_tells_of_an_order_that_was_closed(stripe_payer: Payer) -> None:
    payment = make_order(stripe_payer, reference=str(UUID(int=7)))

    abandon_orders(reference=payment.reference, now=datetime.now(UTC))

    assert [(chapter.what, chapter.by) for chapter in story_of(payment, ())] == [
        (f"The client was asked to pay {payment.price} by Stripe", ""),
        ("The order was closed: it can be paid no more", "Stripe"),
    ]


def _refund(payment: Payment, amount_minor: int) -> Refund:
    return request_refund(
        payment_id=payment.id,
        amount_minor=amount_minor,
        reason=RefundReason.STAFF,
        actor="staff:1",
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize("item_count", [1, 3])
def test_story_stands_on_the_payments_page_and_costs_the_same_for_any_length(
    item_count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    payment = make_captured_payment(reference="")
    for _ in range(item_count):
        _refund(payment, 1)

    page = admin_client.get(reverse("admin:payments_payment_change", args=[payment.id])).content.decode()

    asked = "<strong>A refund was asked for</strong> by staff:1, INR 0.01, decided by staff"
    assert page.count(asked) == item_count
    with django_assert_num_queries(6):
        story_of(payment, purchases_of(payment))


def _shown(client: Client, payment: Payment, name: str) -> str:
    page = client.get(reverse("admin:payments_payment_change", args=[payment.id])).content.decode()
    [field] = re.findall(rf'field-{name}">.*?<div class="readonly">(.*?)</div>', page, flags=re.DOTALL)
    return str(field)


def test_page_shows_what_went_back_and_what_is_left(admin_client: Client) -> None:
    payment = make_captured_payment(reference="")
    before = [_shown(admin_client, payment, name) for name in ("gone_back", "left")]
    _refund(payment, 29_900)

    after = [_shown(admin_client, payment, name) for name in ("gone_back", "left", "money_back")]

    assert before == ["Nothing.", "INR 1,299.00"]
    assert after == [
        "<ul><li>INR 299.00: Requested (Decided by staff)</li></ul>",
        "INR 1,000.00",
        f'<a href="{reverse("admin:payments_payment_refund", args=[payment.id])}">Refund…</a>',
    ]


def test_page_says_that_nothing_goes_back_while_a_bank_decides(admin_client: Client, now: datetime) -> None:
    payment = make_captured_payment(reference="")
    Dispute.objects.create(
        payment=payment, amount_minor=129_900, currency="INR", provider_dispute_id="disp_1", noticed_at=now
    )

    assert [_shown(admin_client, payment, name) for name in ("left", "money_back")] == [
        "INR 1,299.00. The client&#x27;s bank is deciding about it: until then nothing goes back.",
        "Not now: the client&#x27;s bank is deciding.",
    ]


def test_page_of_an_unpaid_order_says_that_no_money_has_come(admin_client: Client) -> None:
    assert _shown(admin_client, make_payment(), "left") == "No money has come."
