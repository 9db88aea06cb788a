"""Legal holds: placed and released on record, by services and in the admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.retention.holds import held_subjects, is_held, place_hold, release_hold
from mindfulqalb.retention.models import LegalHold
from mindfulqalb.retention.registry import Subjects
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
BOOKING = f"booking:{uuid4()}"


def test_hold_on_a_person_is_by_digest_and_on_record() -> None:
    hold = place_hold(email="Jane@example.com ", reason="claim 12", actor="staff:1", now=NOW)

    assert (hold.person_hash, is_held(email="jane@example.com")) == (email_digest("jane@example.com"), True)
    event = AuditEvent.objects.get()
    assert (event.action, event.reason, event.details) == ("retention.hold_placed", "claim 12", {"on": "person"})


def test_holds_say_what_must_stay_until_they_are_released() -> None:
    person = place_hold(email="jane@example.com", reason="claim", actor="staff:1", now=NOW)
    place_hold(target=BOOKING, reason="claim", actor="staff:1", now=NOW)
    both = held_subjects()

    release_hold(hold_id=person.id, reason="settled", actor="staff:2", now=NOW)

    assert both == Subjects([person.person_hash], [BOOKING])
    assert held_subjects() == Subjects([], [BOOKING])


def test_a_second_release_changes_nothing() -> None:
    hold = place_hold(target=BOOKING, reason="claim", actor="staff:1", now=NOW)
    for actor in ("staff:2", "staff:3"):
        release_hold(hold_id=hold.id, reason="settled", actor=actor, now=NOW)

    hold.refresh_from_db()
    actions = list(AuditEvent.objects.order_by("recorded_at", "action").values_list("action", flat=True))
    assert (hold.released_by, actions) == ("staff:2", ["retention.hold_placed", "retention.hold_released"])


@pytest.mark.parametrize(("email", "target"), [("", ""), ("jane@example.com", BOOKING)])
def test_hold_is_about_one_thing(email: str, target: str) -> None:
    with pytest.raises(InvalidInput):
        place_hold(email=email, target=target, reason="claim", actor="staff:1", now=NOW)
    with pytest.raises(IntegrityError, match="legal_hold_on_one"), transaction.atomic():
        LegalHold.objects.create(person_hash=email, target=target, reason="claim", placed_at=NOW, placed_by="staff:1")


def test_hold_and_release_need_a_reason() -> None:
    hold = place_hold(target=BOOKING, reason="claim", actor="staff:1", now=NOW)

    with pytest.raises(ReasonRequired):
        place_hold(target=BOOKING, reason=" ", actor="staff:1", now=NOW)
    with pytest.raises(ReasonRequired):
        release_hold(hold_id=hold.id, reason="", actor="staff:1", now=NOW)


def test_staff_place_a_hold_in_the_admin(client: Client) -> None:
    staff = log_in(client)
    page = reverse("admin:retention_legalhold_add")

    refused = client.post(page, {"email": "", "booking": "", "reason": "claim"})
    done = client.post(page, {"email": "jane@example.com", "booking": "", "reason": "claim"})

    hold = LegalHold.objects.get()
    assert (refused.status_code, done.status_code, hold.placed_by) == (200, 302, f"staff:{staff.pk}")
    assert (hold.reason, is_held(email="jane@example.com")) == ("claim", True)


def test_staff_release_a_hold_with_a_reason(client: Client) -> None:
    log_in(client)
    hold = place_hold(target=BOOKING, reason="claim", actor="staff:1", now=NOW)
    page = reverse("admin:retention_legalhold_changelist")
    sent = {"action": "release", "_selected_action": [str(hold.id)]}

    asked = client.post(page, sent).content.decode()
    client.post(page, sent | {"confirmed": "yes"})
    unreasoned = LegalHold.objects.get().released_at
    client.post(page, sent | {"confirmed": "yes", "reason": "settled"})

    assert ('name="reason"' in asked, unreasoned, LegalHold.objects.get().released_at is None) == (True, None, False)
