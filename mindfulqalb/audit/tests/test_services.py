"""What is written down, and that it stands or falls with the act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client

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
