"""The worker goes on after any crash, asks for each row who may, and leaves no row without a word."""

from __future__ import annotations

import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection
from django.utils import timezone

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.bulk_actions import working
from mindfulqalb.bulk_actions.handlers import end
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.bulk_actions.outcomes import Instruction, Outcome, act_on
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.bulk_actions.tests.builders import begin, counts, make_dead, sentences, work
from mindfulqalb.bulk_actions.working import work_on
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery
from mindfulqalb.outbox.tests.builders import read, start_python
from mindfulqalb.outbox.tests.test_workers import run_in_threads
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import ADMINISTRATOR
from mindfulqalb.staff.tests.builders import make_member, make_superuser

if TYPE_CHECKING:
    from types import FrameType

pytestmark = pytest.mark.django_db

NO_MORE, OUT_OF_REACH = "You may not do this any more.", "It is gone, or it is not yours to change any more."
# A worker that is killed while it notes what came of its fourth row.
DIE_WITHIN_THE_FOURTH = """
import os, signal, sys, uuid, django
django.setup()
from django.utils import timezone
from mindfulqalb.bulk_actions.working import work_on
noted = []
def kill(frame, event, _):
    if event == "call" and frame.f_code.co_name == "_note" and "bulk_actions" in frame.f_code.co_filename:
        noted.append(1)
        if len(noted) == 4:
            os.kill(os.getpid(), signal.SIGKILL)
sys.settrace(kill)
work_on(bulk_action_id=uuid.UUID(sys.argv[1]), is_last_try=False, now=timezone.now())
"""


class Killed(BaseException):
    """The end of a process, as far as the code that runs can tell: nothing of ours catches it."""


class KillAt:
    """Ends what runs at the n-th line of the bulk actions' code, or of the service that they call."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __enter__(self) -> None:
        sys.settrace(self._trace)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        sys.settrace(None)
        return kind is Killed

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if "tests" in file or not ("bulk_actions/" in file or file.endswith("outbox/services.py")):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                raise Killed
        return self._trace


def work_until_line(begun: BulkAction, line: int) -> None:
    with KillAt(line):
        work_on(bulk_action_id=begun.id, is_last_try=False, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_killed_at_every_line_in_turn_it_does_each_row_once() -> None:
    dead = make_dead(8)
    begun = begin(make_member(ADMINISTRATOR), dead)

    lines = 0
    while not counts(begun)[2]:
        lines += 1
        # In a thread, whose connection dies with it: that is all that the database sees of a process that is killed.
        run_in_threads(partial(work_until_line, begun, lines), count=1)

    assert (counts(begun), {read(row, "fencing_token") for row in dead}) == ((8, 0, True), {(1,)})
    assert AuditEvent.objects.filter(action="outbox.revived").count() == 8
    assert AuditEvent.objects.filter(action="bulk_action.finished").count() == 1
    assert lines > 30  # a row and its note are longer than that: each of their lines was the last one once


@pytest.mark.django_db(transaction=True)
def test_worker_that_is_killed_loses_nothing_and_the_next_one_goes_on() -> None:
    dead = make_dead(6)
    begun = begin(make_member(ADMINISTRATOR), dead)
    process = start_python("-c", DIE_WITHIN_THE_FOURTH, str(begun.id))
    log, _ = process.communicate(timeout=60)

    assert (process.returncode, counts(begun)) == (-signal.SIGKILL, (3, 0, False)), log
    assert counts(work(begun)) == (6, 0, True)
    assert {read(row, "fencing_token") for row in dead} == {(1,)}


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_do_each_row_once() -> None:
    dead = make_dead(12)
    begun = begin(make_member(ADMINISTRATOR), dead)

    run_in_threads(lambda: work(BulkAction.objects.get()), count=4)

    assert (counts(begun), {read(row, "fencing_token") for row in dead}) == ((12, 0, True), {(1,)})


def test_long_work_is_done_in_slices_with_a_message_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "SLICE_SECONDS", 0.0)
    begun = begin(make_member(ADMINISTRATOR), make_dead(3))

    seen = []
    while not counts(begun)[2]:
        deliver_due(now=timezone.now(), limit=1)
        seen.append(counts(begun)[0])

    # What was revived was delivered in between: nobody waits behind all of it.
    assert seen == [1, 1, 2, 2, 3]
    assert set(OutboxMessage.objects.filter(lane=begun.lane).values_list("state", "attempts")) == {("DELIVERED", 1)}


def _dismiss(member: StaffMember) -> None:
    StaffMember.objects.filter(id=member.id).update(is_active=False)


def _demote(member: StaffMember) -> None:
    member.groups.set(Group.objects.none())


@pytest.mark.parametrize("change", [_dismiss, _demote])
def test_whoever_may_no_longer_do_it_does_no_more_rows(change: Any) -> None:
    member = make_member(ADMINISTRATOR)
    dead = make_dead(2)
    begun = begin(member, dead)
    change(member)

    assert (counts(work(begun)), sentences(begun)) == ((0, 2, True), [NO_MORE] * 2)
    assert {read(row, "state") for row in dead} == {("DEAD",)}


def test_row_that_is_gone_is_named_and_the_others_are_done() -> None:
    dead = make_dead(3)
    begun = begin(make_member(ADMINISTRATOR), dead)
    dead[1].delete()

    assert (counts(work(begun)), sentences(begun)) == ((2, 1, True), [OUT_OF_REACH])


def test_row_beyond_somebodys_reach_stays_so_when_it_is_worked_on() -> None:
    boss = make_superuser()
    begun = begin(make_member(ADMINISTRATOR), make_dead(1))
    begun.rows.update(object_id=str(boss.id))
    BulkAction.objects.update(model="staff.StaffMember", action="log_out")

    assert (counts(work(begun)), sentences(begun)) == ((0, 1, True), [OUT_OF_REACH])
    boss.refresh_from_db()
    assert boss.access_version == 1


def test_action_that_was_taken_out_is_named() -> None:
    begun = begin(make_member(ADMINISTRATOR), make_dead(1))
    BulkAction.objects.update(action="resurrect")

    assert (counts(work(begun)), sentences(begun)) == ((0, 1, True), ["The server does not know this action any more."])


@pytest.mark.django_db(transaction=True)
def test_row_that_is_locked_for_long_is_tried_again_and_named_in_the_end() -> None:
    dead = make_dead(3)
    begun = begin(make_member(ADMINISTRATOR), dead)
    with _locked(dead[0]), connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '20ms'")
        with pytest.raises(OperationalError):
            work(begun)
        tried = counts(begun)
        done = counts(work(begun, is_last_try=True))
        cursor.execute("RESET lock_timeout")

    assert (tried, done) == ((0, 0, False), (2, 1, True))
    assert sentences(begun)[0].startswith("This went wrong here, and nothing was changed (OperationalError at ")


class _locked:  # noqa: N801 - reads like the function that it is
    """Hold a message on a connection of its own."""

    def __init__(self, message: OutboxMessage) -> None:
        self.message = message

    def __enter__(self) -> None:
        parameters = connection.get_connection_params()
        names = ("dbname", "user", "password", "host", "port")
        self.other = psycopg.connect(**{name: parameters[name] for name in names if parameters.get(name)})
        self.other.execute("SELECT FROM outbox_messages WHERE id = %s FOR UPDATE", [self.message.id])

    def __exit__(self, *_: object) -> None:
        self.other.close()


def test_work_that_is_given_up_says_so_of_each_row_that_was_not_tried() -> None:
    begun = begin(make_member(ADMINISTRATOR), make_dead(3))
    message = OutboxMessage.objects.get(lane=begun.lane)

    end(Delivery(message.id, message.topic, message.lane, message.payload, attempts=20, now=timezone.now()))

    assert counts(begun) == (0, 3, True)
    assert set(sentences(begun)) == {"This was not tried: the server gave the work up. Please choose it again."}
    assert counts(work(begun)) == (0, 3, True)


def _told() -> Instruction:
    return Instruction(make_member(), reason="", value="", now=timezone.now())


def _raise(failure: Exception) -> Any:
    def act(message: OutboxMessage, _told: Instruction) -> None:
        OutboxMessage.objects.filter(id=message.id).update(topic="half.done")
        raise failure

    return act


def test_row_that_is_refused_or_goes_wrong_is_left_as_it_was() -> None:
    message = make_dead(1)[0]

    refused = act_on(message, _raise(Refusal("Still needed.")), _told())
    failed = act_on(message, _raise(ValueError("jane@example.com")), Instruction(StaffMember(), "", "", timezone.now()))

    assert refused == Outcome(RowState.REFUSED, "Still needed.")
    assert (failed.state, "jane" in failed.sentence) == (RowState.FAILED, False)
    assert failed.sentence.startswith("This went wrong here, and nothing was changed (ValueError at tests/test_working")
    assert read(message, "topic") == ("test.work",)
