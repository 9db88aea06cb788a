from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from mindfulqalb.development.delivering import Delivered, Deliveries, deliver
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from pytest_django import Settings
    from pytest_django.live_server_helper import LiveServer


@pytest.mark.parametrize(
    "options",
    [
        {"url": "https://book.example.org"},
        {"seconds": 0.0},
        {"seconds": 101.0},
        {"connections": 0},
        {"connections": 201},
    ],
)
def test_command_delivers_to_nothing_but_this_machine_and_within_bounds(options: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        call_command("measure_webhooks", **({"url": "http://127.0.0.1:1"} | options))


def test_deliver_sends_all_of_them_and_tells_what_came_of_it(live_server: LiveServer, settings: Settings) -> None:
    delivered = deliver(
        Deliveries(live_server.url, settings.RAZORPAY_WEBHOOK_SECRET, rate=50, seconds=0.2, connections=4)
    )

    assert (delivered.answers, len(delivered.seconds)) == ({"200": 10}, 10)
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (10, 10)  # each is genuine and new


def test_deliver_counts_what_nobody_answered() -> None:
    delivered = deliver(Deliveries("http://127.0.0.1:9", "secret", rate=10, seconds=0.2))

    assert delivered.answers == {"ConnectionError": 2}


@pytest.mark.parametrize(("percent", "seconds"), [(50, 5.0), (95, 9.0), (100, 10.0)])
def test_delivered_names_what_a_share_of_the_answers_did_not_exceed(percent: int, seconds: float) -> None:
    delivered = Delivered(Counter(), [10.0, 1.0, 3.0, 2.0, 4.0, 5.0, 6.0, 7.0, 9.0, 8.0])

    assert delivered.at(percent) == seconds
