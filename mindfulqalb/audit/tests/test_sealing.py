"""The chain over committed events: nothing is missed, nobody who records waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest
from django.db import connection, connections, transaction

from mindfulqalb.audit import sealing
from mindfulqalb.audit.digests import GENESIS, chain_digest, head_of, sha256_of
from mindfulqalb.audit.models import AuditEvent, AuditSeal
from mindfulqalb.audit.sealing import horizons, lock_chain, seal_events
from mindfulqalb.audit.tasks import seal
from mindfulqalb.audit.tests.doors import run_sql
from mindfulqalb.audit.tests.test_services import NOW, make_event

if TYPE_CHECKING:
    from collections.abc import Callable

real_transactions = pytest.mark.django_db(transaction=True)
SECONDS = 10


def sealed_targets() -> list[str]:
    """The targets of the sealed events, in the order of the chain."""
    targets = dict(AuditEvent.objects.values_list("id", "target"))
    return [targets[event_id] for event_id in AuditSeal.objects.order_by("sequence").values_list("event_id", flat=True)]


def beside(work: Callable[[], object]) -> None:
    """Do it on another connection, and let it commit."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result(timeout=SECONDS)


@pytest.mark.django_db
def test_seals_chain_the_heads_of_the_events() -> None:
    for number in range(3):
        make_event(target=f"booking:{number}")

    assert seal_events(now=NOW) == 3

    seals = list(AuditSeal.objects.order_by("sequence"))
    heads = [sha256_of(head_of(AuditEvent.objects.get(id=seal.event_id))) for seal in seals]
    first = chain_digest(1, GENESIS, heads[0])
    second = chain_digest(2, first, heads[1])
    assert [(seal.sequence, seal.head_digest, seal.chain_digest, seal.chained_at) for seal in seals] == [
        (1, heads[0], first, NOW),
        (2, heads[1], second, NOW),
        (3, heads[2], chain_digest(3, second, heads[2]), NOW),
    ]


@pytest.mark.django_db
def test_sealing_goes_on_where_it_ended_and_seals_nothing_twice() -> None:
    make_event(target="booking:1")
    seal_events(now=NOW)
    make_event(target="booking:2")

    assert (seal_events(now=NOW), seal_events(now=NOW), sealed_targets()) == (1, 0, ["booking:1", "booking:2"])


@pytest.mark.django_db
@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_sealing_takes_as_many_chunks_as_there_are(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(sealing, "CHUNK_EVENTS", 2)
    for number in range(count):
        make_event(target=f"booking:{number}")

    assert (seal_events(now=NOW), AuditSeal.objects.count()) == (count, count)


@real_transactions
def test_event_whose_transaction_commits_late_is_sealed_then() -> None:
    with transaction.atomic():
        make_event(target="booking:late")
        for number in range(3):
            beside(partial(make_event, target=f"booking:{number}"))
            beside(lambda: seal_events(now=NOW))
        assert sealed_targets() == ["booking:0", "booking:1", "booking:2"]

    assert (seal_events(now=NOW), sealed_targets()) == (1, ["booking:0", "booking:1", "booking:2", "booking:late"])


@real_transactions
def test_horizon_stays_behind_the_oldest_running_transaction_and_then_moves_on() -> None:
    with transaction.atomic():
        late = AuditEvent.objects.get(id=make_event(target="booking:late").id).transaction_id
        beside(make_event)
        beside(lambda: seal_events(now=NOW))
    waiting = AuditSeal.objects.get().horizon
    seal_events(now=NOW)

    assert (waiting <= late, AuditSeal.objects.get(sequence=2).horizon > late) == (True, True)


@real_transactions
def test_each_chunk_of_a_backlog_begins_where_the_one_before_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CHUNK_EVENTS", 2)
    ids = [make_event(target=f"booking:{number}").id for number in range(5)]

    seal_events(now=NOW)

    transactions = [AuditEvent.objects.get(id=id_).transaction_id for id_ in ids]
    begins = list(AuditSeal.objects.order_by("sequence").values_list("horizon", flat=True))
    assert begins[:4] == [transactions[1], transactions[1], transactions[3], transactions[3]]


@real_transactions
def test_full_chunk_does_not_move_past_a_transaction_that_still_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "CHUNK_EVENTS", 1)
    with transaction.atomic():
        make_event(target="booking:late")
        beside(lambda: [make_event(target="booking:early"), make_event(target="booking:early too")])
        beside(partial(seal_events, now=NOW))

    seal_events(now=NOW)

    assert sealed_targets() == ["booking:early", "booking:early too", "booking:late"]


@real_transactions
def test_event_that_was_rolled_back_leaves_no_gap() -> None:
    make_event(target="booking:1")
    with transaction.atomic():
        make_event(target="booking:undone")
        transaction.set_rollback(True)
    make_event(target="booking:2")

    assert (seal_events(now=NOW), sealed_targets()) == (2, ["booking:1", "booking:2"])


@real_transactions
def test_recording_does_not_wait_for_the_sealer() -> None:
    with transaction.atomic():
        lock_chain()
        beside(lambda: make_event(target="booking:1"))

    assert AuditEvent.objects.count() == 1


@real_transactions
def test_two_sealers_at_once_make_one_chain() -> None:
    for number in range(40):
        make_event(target=f"booking:{number}")
    start = Event()

    def run(_: int) -> int:
        start.wait(SECONDS)
        try:
            return seal_events(now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as crowd:
        counts = crowd.map(run, range(4))
        start.set()
        assert sum(counts) == 40

    assert list(AuditSeal.objects.order_by("sequence").values_list("sequence", flat=True)) == list(range(1, 41))


@pytest.mark.django_db
def test_dump_restored_into_a_cluster_that_counts_from_the_beginning_is_gone_on_with() -> None:
    make_event(target="booking:1")
    seal_events(now=NOW)
    far_ahead = horizons()[1] + 10**9
    run_sql("ALTER TABLE audit_seals DISABLE TRIGGER USER")
    run_sql("UPDATE audit_seals SET horizon = %s", [far_ahead])
    make_event(target="booking:2")

    assert (seal_events(now=NOW), sealed_targets()) == (1, ["booking:1", "booking:2"])


@pytest.mark.django_db
def test_search_for_unsealed_events_does_not_read_the_whole_trail() -> None:
    for _ in range(300):
        make_event()
    seal_events(now=NOW)
    run_sql("ANALYZE audit_events")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT 1 FROM audit_events WHERE transaction_id >= %s", [horizons()[1]])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "audit_transaction" in plan


@pytest.mark.django_db
def test_task_seals() -> None:
    make_event()

    seal()

    assert AuditSeal.objects.count() == 1
