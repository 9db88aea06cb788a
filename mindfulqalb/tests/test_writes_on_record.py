"""Whatever staff write in the admin, by a form or an action, leaves an event in their name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.audited import AuditedAdmin
from mindfulqalb.staff.tests.builders import log_in
from mindfulqalb.tests.everything import make_everything
from mindfulqalb.tests.role_matrix import REGISTERED, actions_of_models, model_page

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

# Their forms hand on to a service, which records; the tests of these services see to it.
BY_SERVICE = {"retention.RetentionRule", "retention.LegalHold", "subject_requests.SubjectRequest"}
# The trail itself; what tells staff what they have just done; and what notes that they are here.
APART = {"audit", "admin", "sessions", "contenttypes"}
YES = {"confirmed": "yes", "post": "yes", "reason": "They asked", "input": ""}
HOUR = timedelta(hours=1)
SOON, LATELY = timezone.now() + timedelta(days=3), timezone.now() - timedelta(days=3)
BOOKED = {"state": "CONFIRMED", "calcom_booking_id": "uid", "starts_at": SOON, "ends_at": SOON + HOUR}
VERIFIED = {"verification": "known", "verified_at": LATELY}
# What the rows must be for an action to find something to do.
PREPARED: dict[str, dict[str, Any]] = {
    "cancel_for_practice": BOOKED,
    "note_absence": {**BOOKED, "state": "COMPLETED", "starts_at": LATELY, "ends_at": LATELY + HOUR},
    "note_attendance": {**BOOKED, "state": "NO_SHOW", "starts_at": LATELY, "ends_at": LATELY + HOUR},
    **dict.fromkeys(("closed_done", "closed_partly", "closed_refused"), VERIFIED),
}
# They read, or find nothing to do with these rows; that they record what they do stands in tests of their own.
IDLE = {
    *("accept", "answer", "begin_erasure", "confirm_again", "gather_json", "gather_page", "give_the_rest"),
    *("publish", "put_back", "refund_what_is_left", "retry"),
}
ACTIONS = sorted((label, name) for label, names in actions_of_models().items() for name in names)


@pytest.fixture
def staff(client: Client) -> str:
    """Log a superuser in, make one row of everything, and return how the trail calls them."""
    member = log_in(client)
    make_everything()
    return f"staff:{member.pk}"


def contents() -> dict[str, list[str]]:
    """All that the database holds, table by table."""
    models = [model for model in apps.get_models() if model._meta.app_label not in APART and model._meta.managed]
    return {model._meta.label: sorted(map(str, model._base_manager.values_list())) for model in models}


def test_every_form_of_the_admin_records_what_it_saves(client: Client, staff: str) -> None:
    request = client.get("/admin/").wsgi_request
    pages = {label: admin.site._registry[model] for label, model in REGISTERED.items()}
    doors = ("has_add_permission", "has_change_permission", "has_delete_permission")
    written = {label: page for label, page in pages.items() if any(getattr(page, door)(request) for door in doors)}

    silent = {label for label, page in written.items() if not isinstance(page, AuditedAdmin)}

    assert silent == BY_SERVICE


@pytest.mark.parametrize(("label", "name"), ACTIONS)
def test_action_changes_nothing_without_an_event(client: Client, staff: str, label: str, name: str) -> None:
    rows = [str(row.pk) for row in REGISTERED[label]._base_manager.all()]
    REGISTERED[label]._base_manager.update(**PREPARED.get(name, {}))
    before, recorded = contents(), set(AuditEvent.objects.values_list("id", flat=True))

    sent = {"action": name, "_selected_action": rows, **YES}
    client.post(reverse(f"admin:{model_page(label, 'changelist')}"), sent)

    events = AuditEvent.objects.exclude(id__in=recorded).filter(actor=staff)
    is_changed = contents() != before
    assert (is_changed, events.exists() or not is_changed) == (name not in IDLE, True)
