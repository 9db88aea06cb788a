"""Several workers at once, on connections, threads and processes of their own."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.utils import timezone

from mindfulqalb.outbox.delivery import deliver_due, deliver_message
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, Handle, make_message, read, start_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from mindfulqalb.outbox.registry import Delivery

pytestmark = pytest.mark.django_db(transaction=True)

LEASE = timedelta(seconds=60)
# The worker does its work, and is killed before it can say so.
DIE_AFTER_THE_WORK = """
import os, signal, sys, uuid, pathlib, datetime, django
django.setup()
from mindfulqalb.outbox.delivery import deliver_message
from mindfulqalb.outbox.registry import handles
@handles("test.work")
def work(delivery):
    with pathlib.Path(delivery.payload["file"]).open("a") as file:
        file.write(f"{delivery.attempts}\\n")
    os.kill(os.getpid(), signal.SIGKILL)
deliver_message(message_id=uuid.UUID(sys.argv[1]), now=datetime.datetime.fromisoformat(sys.argv[2]))
"""


def run_in_threads(work: Callable[[], object], *, count: int) -> None:
    """Run the same work in several threads, each with a database connection of its own."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def deliver_everything() -> None:
    while OutboxMessage.objects.filter(state=State.PENDING).exists():
        deliver_due(now=NOW, limit=100)


def append_attempt(delivery: Delivery) -> None:
    with Path(delivery.payload["file"]).open("a") as file:
        file.write(f"{delivery.attempts}\n")


def deliver_and_be_killed(message: OutboxMessage) -> int:
    process = start_python("-c", DIE_AFTER_THE_WORK, str(message.id), NOW.isoformat())
    process.communicate(timeout=60)
    return process.returncode


def test_eight_workers_deliver_each_message_once_and_each_lane_in_order(handle: Handle) -> None:
    messages = [make_message(lane=f"booking:{number % 40}", payload={"number": number}) for number in range(200)]
    lock, handled, busy_lanes, collisions = Lock(), [], Counter[str](), []

    def work(delivery: Delivery) -> None:
        with lock:
            busy_lanes[delivery.lane] += 1
            collisions.extend([delivery.lane] * (busy_lanes[delivery.lane] - 1))
            handled.append((delivery.lane, delivery.payload["number"], delivery.attempts))
        sleep(0.001)
        with lock:
            busy_lanes[delivery.lane] -= 1

    handle(work)
    run_in_threads(deliver_everything, count=8)

    by_lane = sorted(handled, key=lambda call: call[0])  # stable: within a lane, the order of the calls
    assert by_lane == sorted((message.lane, message.payload["number"], 1) for message in messages)
    assert collisions == []
    assert OutboxMessage.objects.filter(state=State.DELIVERED, fencing_token=1).count() == 200


def test_eight_hints_for_one_message_deliver_it_once(delivered: list[Delivery]) -> None:
    message = make_message()

    run_in_threads(lambda: deliver_message(message_id=message.id, now=NOW), count=8)

    assert (len(delivered), *read(message, "attempts")) == (1, 1)


def test_lanes_are_delivered_side_by_side(handle: Handle) -> None:
    meeting = Barrier(2, timeout=20)
    handle(lambda _: meeting.wait() and None)
    for number in range(2):
        make_message(lane=f"booking:{number}")

    run_in_threads(lambda: deliver_due(now=NOW, limit=1), count=2)

    assert OutboxMessage.objects.filter(state=State.DELIVERED).count() == 2


def test_a_message_of_a_killed_worker_is_delivered_again(handle: Handle, tmp_path: Path) -> None:
    handle(append_attempt)
    message = make_message(payload={"file": str(tmp_path / "attempts")})

    assert deliver_and_be_killed(message) == -signal.SIGKILL
    assert read(message, "state", "attempts") == (State.PENDING, 1)

    deliver_due(now=NOW + timedelta(seconds=30), limit=10)
    assert read(message, "attempts") == (1,)

    deliver_due(now=NOW + 3 * LEASE, limit=10)
    assert (tmp_path / "attempts").read_text() == "1\n2\n"
    assert read(message, "state", "attempts", "fencing_token") == (State.DELIVERED, 2, 2)


def test_a_message_that_kills_its_worker_each_time_is_dead(
    delivered: list[Delivery], tmp_path: Path, settings: Settings
) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 1
    message = make_message(payload={"file": str(tmp_path / "attempts")})
    deliver_and_be_killed(message)

    deliver_due(now=NOW + 3 * LEASE, limit=10)

    assert (delivered, *read(message, "state")) == ([], State.DEAD)


def test_a_message_goes_from_commit_to_a_celery_worker(delivered: list[Delivery], tmp_path: Path) -> None:
    file = tmp_path / "attempts"
    worker = start_python(
        "-m", "celery", "-A", "mindfulqalb.outbox.tests.celery_worker", "worker", "--pool", "solo", "--loglevel", "info"
    )
    try:
        with transaction.atomic():
            message = enqueue(topic="test.work", lane="booking:1", payload={"file": str(file)}, now=timezone.now())
        deadline = monotonic() + 60
        while read(message, "state") == (State.PENDING,) and worker.poll() is None and monotonic() < deadline:
            sleep(0.1)
    finally:
        worker.terminate()
        log, _ = worker.communicate(timeout=30)

    assert read(message, "state", "attempts") == (State.DELIVERED, 1), log
    assert file.read_text() == "1\n"
    assert delivered == []
