from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from mindfulqalb.outbox.claims import CLAIM, Outcome, claim, conclude, release
from mindfulqalb.outbox.services import settle
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, make_message, read

if TYPE_CHECKING:
    from mindfulqalb.outbox.models import OutboxMessage

LEASE = timedelta(seconds=60)
DONE = Outcome(state=State.DELIVERED, due_at=NOW, attempts=1, last_error="")


def claimed(**arguments: object) -> list[str]:
    """Claim until nothing is left; return the lanes in that order."""
    taken = iter(lambda: claim(now=NOW, **arguments), None)  # type: ignore[arg-type]
    return [message.lane for message in taken]


def conclude_claim(message: OutboxMessage | None) -> None:
    assert message is not None
    assert conclude(message, DONE, now=NOW)


@pytest.mark.django_db
def test_claim_leases_and_counts() -> None:
    message = make_message()

    claim(now=NOW)

    assert read(message, "state", "leased_until", "attempts", "fencing_token") == (State.PENDING, NOW + LEASE, 1, 1)


@pytest.mark.django_db
def test_claim_takes_the_longest_due_first() -> None:
    for minutes in (1, 3, 2):
        make_message(lane=f"due {minutes} minutes", due_at=NOW - timedelta(minutes=minutes))

    assert claimed() == ["due 3 minutes", "due 2 minutes", "due 1 minutes"]


@pytest.mark.django_db
def test_claim_leaves_what_is_not_due_finished_or_leased() -> None:
    make_message(lane="early", due_at=NOW + timedelta(microseconds=1))
    make_message(lane="delivered", state=State.DELIVERED, finished_at=NOW)
    make_message(lane="dead", state=State.DEAD, finished_at=NOW)
    make_message(lane="leased", leased_until=NOW + timedelta(microseconds=1))
    make_message(lane="lease is over", leased_until=NOW)

    assert claimed() == ["lease is over"]


@pytest.mark.django_db
def test_claim_takes_one_message_of_a_lane_oldest_first() -> None:
    first, second = make_message(), make_message(due_at=NOW - timedelta(hours=1))

    assert (claim(now=NOW), claim(now=NOW)) == (first, None)
    assert claim(now=NOW, message_id=second.id) is None


@pytest.mark.django_db
def test_claim_goes_on_in_the_lane_when_the_first_is_finished() -> None:
    _, second = make_message(), make_message()
    conclude_claim(claim(now=NOW))

    assert claim(now=NOW) == second


@pytest.mark.django_db
def test_claim_waits_for_an_earlier_message_that_is_not_due() -> None:
    make_message(due_at=NOW + timedelta(minutes=5))
    make_message()

    assert claim(now=NOW) is None


@pytest.mark.django_db
def test_claim_of_a_lane_takes_nothing_else() -> None:
    make_message(lane="booking:1")
    make_message(lane="booking:2")

    assert claimed(lane="booking:2") == ["booking:2"]


@pytest.mark.django_db
def test_a_dead_message_does_not_close_its_lane() -> None:
    make_message(state=State.DEAD, finished_at=NOW)
    after = make_message()

    assert claim(now=NOW) == after


@pytest.mark.django_db
def test_an_expired_lease_is_handed_over_and_the_late_worker_cannot_overwrite() -> None:
    message = make_message()
    late = claim(now=NOW)
    successor = claim(now=NOW + LEASE)

    assert late is not None
    assert successor is not None
    assert conclude(late, replace(DONE, state=State.DEAD, last_error="late"), now=NOW) is False
    release(late)
    columns = ("state", "leased_until", "attempts", "fencing_token", "last_error")
    assert read(message, *columns) == (State.PENDING, NOW + 2 * LEASE, 2, 2, "")

    assert conclude(successor, DONE, now=NOW) is True
    assert read(message, "state", "leased_until", "finished_at") == (State.DELIVERED, None, NOW)


@pytest.mark.django_db
def test_settling_a_running_delivery_voids_it_and_keeps_the_lane_closed_until_it_ends() -> None:
    message, after = make_message(), make_message(topic="test.other")
    running = claim(now=NOW)
    settle(lane="booking:1", topic="test.work", now=NOW)

    assert running is not None
    assert conclude(running, replace(DONE, state=State.DEAD), now=NOW) is False
    assert claim(now=NOW) is None
    release(running)
    assert claim(now=NOW) == after
    assert read(message, "state", "leased_until") == (State.DELIVERED, None)


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_does_not_open_the_lane_of_its_successor() -> None:
    make_message()
    make_message(topic="test.other")
    late, successor = claim(now=NOW), claim(now=NOW + LEASE)
    settle(lane="booking:1", topic="test.work", now=NOW + LEASE)

    assert late is not None
    assert successor is not None
    release(late)
    assert claim(now=NOW + LEASE) is None
    release(successor)
    assert claim(now=NOW + LEASE) is not None


@pytest.mark.django_db
def test_the_lane_of_a_settled_delivery_opens_when_its_worker_died() -> None:
    make_message()
    after = make_message(topic="test.other")
    claim(now=NOW)
    settle(lane="booking:1", topic="test.work", now=NOW)

    assert (claim(now=NOW + LEASE - timedelta(microseconds=1)), claim(now=NOW + LEASE)) == (None, after)


@pytest.mark.django_db(transaction=True)
def test_claim_passes_by_a_message_that_another_connection_has_locked() -> None:
    locked, free = make_message(lane="booking:1"), make_message(lane="booking:2")
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor, connection.cursor() as ours:
            cursor.execute("SELECT id FROM outbox_messages WHERE id = %s FOR UPDATE", [locked.id])
            ours.execute("SET lock_timeout = '2s'")
            assert claim(now=NOW) == free
            ours.execute("RESET lock_timeout")
    finally:
        other.close()


@pytest.mark.django_db(transaction=True)
def test_claim_refuses_to_hide_in_a_transaction() -> None:
    make_message()

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        claim(now=NOW)


@pytest.mark.django_db
def test_claim_and_count_stay_on_indexes_among_many_messages() -> None:
    columns = "id, topic, lane, payload, attempts, fencing_token, last_error, created_at, state, due_at, finished_at"
    with connection.cursor() as cursor:
        for count, rest in ((50_000, "'DELIVERED', now(), now()"), (5_000, "'PENDING', now() + '1 year', NULL")):
            values = f"gen_random_uuid(), 'test.work', 'booking:' || n, '{{}}', 1, 1, '', now(), {rest}"
            numbers = f"generate_series(1, {count}) AS n"
            cursor.execute(f"INSERT INTO outbox_messages ({columns}) SELECT {values} FROM {numbers}")  # noqa: S608
        make_message()
        cursor.execute("ANALYZE outbox_messages")
        parameters = {"now": NOW, "leased_until": NOW, "message_id": None, "lane": None}
        plans = []
        for statement in (CLAIM, "SELECT count(*) FROM outbox_messages WHERE state = 'DEAD'"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))

    claim_plan, count_plan = plans
    assert [name in claim_plan for name in ("outbox_due", "outbox_lane", "Seq Scan")] == [True, True, False]
    assert [name in count_plan for name in ("outbox_finished", "Seq Scan")] == [True, False]
