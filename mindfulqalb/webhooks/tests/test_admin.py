from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import store_webhook
from mindfulqalb.webhooks.tests.builders import NOW, make_event

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

CHANGELIST = "admin:webhooks_webhookdelivery_changelist"


@pytest.fixture
def delivery() -> WebhookDelivery:
    """A delivery with something private in it."""
    store_webhook(event=make_event(body='{"email": "jane@example.com"}'), now=NOW)
    return WebhookDelivery.objects.get()


def test_the_list_shows_and_finds_deliveries(admin_client: Client, delivery: WebhookDelivery) -> None:
    store_webhook(event=make_event(event_id="evt_2", vendor="stripe"), now=NOW)

    for query in ({"q": "evt_1"}, {"vendor": "razorpay"}):
        response = admin_client.get(reverse(CHANGELIST), query)
        assert list(response.context["cl"].result_list) == [delivery]


def test_a_delivery_can_be_read_without_its_body_and_not_changed(
    admin_client: Client, delivery: WebhookDelivery
) -> None:
    page = reverse("admin:webhooks_webhookdelivery_change", args=[delivery.id])

    shown = admin_client.get(page)
    refused = admin_client.post(page, {"vendor": "stripe"})

    text = shown.content.decode()
    assert (shown.status_code, shown.context["has_change_permission"], refused.status_code) == (200, False, 403)
    assert ("evt_1" in text, "jane" in text) == (True, False)


@pytest.mark.parametrize("page", ["add", "delete"])
def test_deliveries_are_neither_added_nor_deleted_by_hand(
    page: str, admin_client: Client, delivery: WebhookDelivery
) -> None:
    arguments = [delivery.id] if page == "delete" else []

    for method in (admin_client.get, admin_client.post):
        assert method(reverse(f"admin:webhooks_webhookdelivery_{page}", args=arguments)).status_code == 403
    assert WebhookDelivery.objects.count() == 1


def test_delivery_is_worked_on_again_once_for_two_clicks(admin_client: Client, delivery: WebhookDelivery) -> None:
    OutboxMessage.objects.update(state=State.DELIVERED, finished_at=NOW)
    chosen = {"action": "reprocess", "_selected_action": str(delivery.id)}

    pages = [admin_client.post(reverse(CHANGELIST), chosen, follow=True) for _ in range(2)]

    said = [[str(message) for message in page.context["messages"]] for page in pages]
    waiting = OutboxMessage.objects.get(state=State.PENDING)
    assert said == [["Deliveries worked on again: 1."], [f"{delivery}: This delivery is being worked on."]]
    assert (waiting.topic, waiting.payload) == ("webhook.razorpay", {"delivery_id": str(delivery.id)})
    assert AuditEvent.objects.get(action="webhook.reprocessed").target == f"webhook:{delivery.id}"
