"""The same event on two connections at once: vendors repeat what was answered slowly."""

from __future__ import annotations

import pytest
from django.db import transaction

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import store_webhook
from mindfulqalb.webhooks.tests.builders import NOW, make_event
from mindfulqalb.webhooks.tests.connections import await_waiting, start_threads

pytestmark = pytest.mark.django_db(transaction=True)


def _store() -> bool:
    return store_webhook(event=make_event(), now=NOW)


def test_the_same_event_twice_at_once_is_one_row_and_one_message() -> None:
    with transaction.atomic():
        here = _store()
        (there,) = start_threads(_store, count=1)
        await_waiting(1)

    assert (here, there.result(timeout=10)) == (True, False)
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (1, 1)


def test_an_event_whose_first_storing_is_undone_is_stored_by_the_second() -> None:
    with transaction.atomic():
        _store()
        (there,) = start_threads(_store, count=1)
        await_waiting(1)
        transaction.set_rollback(True)

    assert there.result(timeout=10) is True
    assert OutboxMessage.objects.get().payload == {"delivery_id": str(WebhookDelivery.objects.get().id)}
