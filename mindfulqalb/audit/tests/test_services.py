"""What is written down, and that it stands or falls with the act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from mindfulqalb.audit.digests import payload_of, salted_digest
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import (
    LARGEST_REMOVAL,
    ReasonRequired,
    RemovalRefused,
    erase_payloads,
    record,
    record_purge,
    record_read,
)
from mindfulqalb.audit.tests.doors import refused
from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def make_event(**overrides: Any) -> AuditEvent:
    values: dict[str, Any] = {
        "action": "booking.confirmed",
        "actor": "system",
        "target": "booking:1",
        "details": {"uid": "abc"},
        "now": NOW,
    }
    return record(**(values | overrides))


def test_record_keeps_who_did_what_to_which_object_and_when() -> None:
    with bound_request_id("request-0001"):
        event_id = make_event().id

    event = AuditEvent.objects.get(id=event_id)
    assert (event.action, event.actor, event.target, event.details, event.occurred_at, event.request_id) == (
        "booking.confirmed",
        "system",
        "booking:1",
        {"uid": "abc"},
        NOW,
        "request-0001",
    )


def test_record_outside_of_a_request_and_without_details_leaves_both_empty() -> None:
    event = AuditEvent.objects.get(id=make_event(details=None).id)

    assert (event.request_id, event.details) == ("", {})


def test_record_is_dated_by_the_databases_clock_too(now: datetime) -> None:
    event = AuditEvent.objects.get(id=make_event().id)

    assert abs(event.recorded_at - now) < timedelta(hours=1)


def test_record_returns_the_event_as_it_stands_in_the_table() -> None:
    event = make_event(reason="They asked.")

    assert event == AuditEvent.objects.get(id=event.id)
    columns = [field.attname for field in AuditEvent._meta.concrete_fields]
    stored = AuditEvent.objects.values(*columns).get(id=event.id)
    assert {name: getattr(event, name) for name in columns} == stored | {"salt": bytes(stored["salt"])}
    assert (event._state.adding, event._state.db) == (False, "default")


def test_record_costs_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_event()

    with django_assert_num_queries(1):
        make_event()


def test_record_falls_with_the_act() -> None:
    with transaction.atomic():
        make_event()
        transaction.set_rollback(True)

    assert AuditEvent.objects.count() == 0


def test_event_reads_as_a_sentence() -> None:
    assert str(make_event()) == "2026-12-01 06:00:00 booking.confirmed booking:1 by system"


def test_admin_finds_events_by_target(client: Client) -> None:
    log_in(client)
    make_event()
    wanted = make_event(target="booking:2")

    page = client.get("/admin/audit/auditevent/", {"q": "booking:2"})

    assert list(page.context["cl"].result_list) == [wanted]


def test_record_digests_its_payload_with_a_salt_of_its_own() -> None:
    one, other = make_event(reason="asked by phone"), make_event(reason="asked by phone")

    events = [AuditEvent.objects.get(id=event.id) for event in (one, other)]
    assert [event.payload_digest for event in events] == [
        salted_digest(event.salt or b"", payload_of(event)) for event in events
    ]
    assert len({event.payload_digest for event in events}) == 2


@pytest.mark.parametrize("details", [{"amount": 1.5}, {"at": [{"x": 0.1}]}])
def test_record_refuses_a_float(details: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="float"):
        make_event(details=details)

    assert AuditEvent.objects.count() == 0


def test_read_of_personal_data_is_recorded_with_its_reason() -> None:
    event_id = record_read(
        actor="staff:1", target="booking:1", fields=["phone", "email"], reason=" Client asked to be called. ", now=NOW
    ).id

    event = AuditEvent.objects.get(id=event_id)
    assert (event.action, event.actor, event.target, event.details, event.reason) == (
        "personal_data.read",
        "staff:1",
        "booking:1",
        {"fields": ["email", "phone"]},
        "Client asked to be called.",
    )


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_read_without_a_reason_is_refused(reason: str) -> None:
    with pytest.raises(ReasonRequired) as refusal:
        record_read(actor="staff:1", target="booking:1", fields=["email"], reason=reason, now=NOW)

    assert (refusal.value.fields, AuditEvent.objects.count()) == ({"reason": ["Please say why."]}, 0)


def test_erasure_takes_payload_and_salt_and_says_so() -> None:
    event, other = make_event(reason="because"), make_event(reason="stays")

    erasure = erase_payloads(event_ids=[event.id], rule="IN-1", actor="system", now=NOW)

    erased = AuditEvent.objects.get(id=event.id)
    assert (erased.salt, erased.details, erased.evidence, erased.reason) == (None, None, None, None)
    assert (erased.payload_digest, AuditEvent.objects.get(id=other.id).reason) == (event.payload_digest, "stays")
    assert (erasure.action, erasure.target, erasure.details) == (
        "audit.payloads_erased",
        "rule:IN-1",
        {"rule": "IN-1", "events": [str(event.id)]},
    )


def test_erasure_shuts_its_door() -> None:
    erase_payloads(event_ids=[make_event().id], rule="IN-1", actor="system", now=NOW)

    with refused("audit_events", "UPDATE"):
        AuditEvent.objects.update(actor="nobody")


def test_erasure_of_what_says_what_was_erased_is_refused() -> None:
    event = make_event()
    erasure = erase_payloads(event_ids=[event.id], rule="IN-1", actor="system", now=NOW)
    purge = record_purge(targets=["consent:1"], rule="IN-1", actor="system", now=NOW)

    for removal in (erasure, purge):
        with pytest.raises(RemovalRefused):
            erase_payloads(event_ids=[event.id, removal.id], rule="IN-1", actor="system", now=NOW)

    assert AuditEvent.objects.count() == 3


@pytest.mark.parametrize("count", [0, LARGEST_REMOVAL + 1])
def test_removal_of_nothing_or_too_much_is_refused(count: int) -> None:
    with pytest.raises(RemovalRefused):
        record_purge(targets=["consent:1"] * count, rule="IN-1", actor="system", now=NOW)

    assert AuditEvent.objects.count() == 0
