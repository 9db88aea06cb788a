"""An action over a few rows is done at once; over more it asks, and becomes a bulk action of its own, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.bulk_actions.row_actions import FEW, MOST
from mindfulqalb.bulk_actions.tests.builders import (
    LIST,
    answer,
    begin,
    counts,
    deliver,
    make_clerk,
    make_dead,
    press,
    sentences,
    work,
)
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import read
from mindfulqalb.outbox.tests.test_workers import run_in_threads
from mindfulqalb.retention.holds import place_hold
from mindfulqalb.retention.models import LegalHold
from mindfulqalb.staff.roles import COMPLIANCE_AUDITOR
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def said(client: Client) -> list[str]:
    """What the next page says."""
    return [str(message) for message in client.get(reverse(LIST)).context["messages"]]


def states() -> set[str]:
    return set(OutboxMessage.objects.filter(topic="test.work").values_list("state", flat=True))


def test_few_rows_are_done_at_once(client: Client) -> None:
    make_clerk(client)

    press(client, make_dead(FEW))

    assert (states(), said(client)) == ({State.PENDING}, [f"Dead messages that are tried again: {FEW}."])
    assert BulkAction.objects.count() == 0


def test_more_rows_are_asked_about_though_a_few_are_not(client: Client) -> None:
    make_clerk(client)

    asked = press(client, make_dead(FEW + 1))

    page = asked.content.decode()
    assert ("This is done to each of these:" in page, page.count("<li>test.work")) == (True, FEW + 1)
    assert (states(), BulkAction.objects.count()) == ({State.DEAD}, 0)


def test_more_rows_become_a_bulk_action_and_its_page_is_shown(client: Client) -> None:
    clerk = make_clerk(client)

    shown = answer(client, press(client, make_dead(FEW + 1)))

    begun = BulkAction.objects.get()
    assert shown["Location"] == reverse("admin:bulk_actions_bulkaction_change", args=[begun.id])
    assert (begun.actor, begun.title, begun.row_count) == (
        f"staff:{clerk.id}",
        "Retry dead messages: 11 outbox messages",
        FEW + 1,
    )
    assert said(client) == ["Retry dead messages: 11 are being worked on."]
    assert (states(), counts(begun)) == ({State.DEAD}, (0, 0, False))


def test_five_hundred_rows_are_done_in_the_name_of_who_asked(client: Client) -> None:
    clerk = make_clerk(client)
    dead = make_dead(MOST)
    answer(client, press(client, dead))

    begun = BulkAction.objects.get()

    while not counts(begun)[2]:
        deliver(begun)

    assert (states(), counts(begun)) == ({State.PENDING}, (MOST, 0, True))
    by = AuditEvent.objects.filter(action="outbox.revived").values_list("actor", "target")
    assert sorted(by) == sorted((f"staff:{clerk.id}", f"outbox:{row.id}") for row in dead)
    told = AuditEvent.objects.filter(target=f"bulk_action:{begun.id}").order_by("recorded_at", "occurred_at")
    assert [(event.action, event.actor) for event in told] == [
        ("bulk_action.begun", f"staff:{clerk.id}"),
        ("bulk_action.finished", f"staff:{clerk.id}"),
    ]


def test_of_more_than_can_be_done_the_first_are_and_it_is_said(client: Client) -> None:
    make_clerk(client)
    make_dead(MOST + 2)

    asked = press(client, [OutboxMessage.objects.latest("sequence")], select_across="1")
    text = [str(message) for message in asked.context["messages"]]
    answer(client, asked)

    assert text == ["500 at most are done at once: the first 500 of what you chose. Choose the rest afterwards."]
    assert BulkAction.objects.get().row_count == MOST


def test_page_that_is_answered_twice_is_one_bulk_action(client: Client) -> None:
    make_clerk(client)
    asked = press(client, make_dead(FEW + 1))

    pages = {answer(client, asked)["Location"] for _ in range(2)}

    begun = BulkAction.objects.get()
    assert (len(pages), begun.rows.count()) == (1, FEW + 1)
    assert OutboxMessage.objects.filter(lane=begun.lane).count() == 1


@pytest.mark.django_db(transaction=True)
def test_page_that_is_answered_eight_times_at_once_is_one_bulk_action() -> None:
    clerk, dead, key = make_member(), make_dead(3), uuid4()

    run_in_threads(lambda: begin(clerk, dead, key=key), count=8)

    begun = BulkAction.objects.get()
    assert (begun.rows.count(), OutboxMessage.objects.filter(lane=begun.lane).count()) == (3, 1)


def test_same_choice_asked_for_anew_is_refused_row_by_row(client: Client) -> None:
    make_clerk(client)
    dead = make_dead(FEW + 1)
    for _ in range(2):
        answer(client, press(client, dead))

    done = sorted(counts(work(begun)) for begun in BulkAction.objects.all())

    assert done == [(0, FEW + 1, True), (FEW + 1, 0, True)]
    assert {read(row, "fencing_token") for row in dead} == {(1,)}


def test_somebody_elses_key_is_no_way_into_their_bulk_action(client: Client) -> None:
    theirs = begin(make_member(username="ravi"), make_dead(1))
    make_clerk(client)

    sent = {"confirmed": "yes", "key": str(theirs.key)}
    shown = press(client, make_dead(FEW + 1), **sent)

    assert BulkAction.objects.count() == 2
    assert str(theirs.id) not in shown["Location"]


def _hold(count: int) -> list[LegalHold]:
    return [
        place_hold(email=f"jane{number}@example.com", reason="A claim", actor="system", now=timezone.now())
        for number in range(count)
    ]


def _release(client: Client, reason: str) -> Any:
    client.force_login(make_member(COMPLIANCE_AUDITOR))
    ids = [str(hold.pk) for hold in _hold(FEW + 1)]
    sent = {"action": "release", "_selected_action": ids, "confirmed": "yes", "reason": reason}
    return client.post(reverse("admin:retention_legalhold_changelist"), sent, follow=True)


def test_reason_is_sealed_while_it_is_needed_goes_on_record_and_is_forgotten(client: Client) -> None:
    _release(client, "The claim of Jane Doe is settled")

    begun = BulkAction.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason_encrypted FROM bulk_actions")
        stored = bytes(cursor.fetchone()[0])
    work(begun)

    reasons = set(AuditEvent.objects.filter(action="retention.hold_released").values_list("reason", flat=True))
    assert (b"Jane" in stored, reasons) == (False, {"The claim of Jane Doe is settled"})
    assert (counts(begun), begun.reason, LegalHold.objects.filter(released_at=None).count()) == (
        (FEW + 1, 0, True),
        None,
        0,
    )


def test_reason_that_is_missing_is_asked_for_before_anything_begins(client: Client) -> None:
    page = _release(client, " ")

    assert [str(message) for message in page.context["messages"]] == ["Please say why: it goes on record."]
    assert (BulkAction.objects.count(), LegalHold.objects.filter(released_at=None).count()) == (0, FEW + 1)


def test_rows_that_are_refused_are_named_with_the_reason(client: Client) -> None:
    make_clerk(client)
    dead = make_dead(FEW + 1)
    OutboxMessage.objects.filter(id=dead[3].id).update(state=State.DELIVERED)
    shown = answer(client, press(client, dead))
    begun = work(BulkAction.objects.get())

    page = client.get(shown["Location"]).content.decode()

    refused = "This message is not dead: it is tried again by itself, or it is delivered."
    assert (counts(begun), sentences(begun)) == ((FEW, 1, True), [refused])
    assert f"test.work {dead[3].id}</a>: {refused}</li>" in page
    assert f"{FEW} of {FEW + 1} done, 1 not done." in page
