from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.celery import app
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tasks import deliver, sweep
from mindfulqalb.outbox.tests.builders import NOW, make_message, read

if TYPE_CHECKING:
    from mindfulqalb.outbox.registry import Delivery

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def frozen_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def test_the_names_that_beat_and_other_processes_use_are_pinned() -> None:
    assert (deliver.name, sweep.name) == ("outbox.deliver", "outbox.sweep")
    assert app.conf.beat_schedule["sweep the outbox"]["task"] == sweep.name


def test_deliver_delivers_the_message_it_was_told_of(delivered: list[Delivery]) -> None:
    message, other = make_message(lane="booking:1"), make_message(lane="booking:2")

    deliver(message_id=str(message.id), sent_by="a newer version")

    assert [delivery.message_id for delivery in delivered] == [message.id]
    assert read(other, "state") == (State.PENDING,)


def test_deliver_trusts_the_senders_clock_when_its_own_lags(delivered: list[Delivery]) -> None:
    due_at = NOW + timedelta(milliseconds=20)
    message = make_message(due_at=due_at)

    deliver(message_id=str(message.id))
    early = len(delivered)
    deliver(message_id=str(message.id), due_at=due_at.isoformat())

    assert (early, len(delivered)) == (0, 1)


def test_sweep_delivers_whatever_is_due(delivered: list[Delivery]) -> None:
    make_message(lane="booking:1")
    make_message(lane="booking:2")
    make_message(lane="booking:3", due_at=NOW + timedelta(minutes=1))

    sweep()

    assert [delivery.lane for delivery in delivered] == ["booking:1", "booking:2"]
