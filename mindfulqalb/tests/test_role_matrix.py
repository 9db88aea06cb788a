"""Every role at every door: each page of the admin, each action, each call of the staff API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.staff.roles import ROLES, THERAPIST
from mindfulqalb.staff.tests.builders import PASSWORD, make_member
from mindfulqalb.staff.tokens import sign_in
from mindfulqalb.tests.everything import make_everything
from mindfulqalb.tests.role_matrix import (
    ACTIONS,
    CALLS,
    LETTERS,
    MODELS,
    OF_EVERY_MODEL,
    PAGES,
    REGISTERED,
    model_page,
)

if TYPE_CHECKING:
    from django.db.models import Model
    from django.test import Client

    from mindfulqalb.staff.models import StaffMember

pytestmark = pytest.mark.django_db

LETS_IN = 200


@pytest.fixture
def therapist() -> Therapist:
    """Make all rows, and say whose sessions they are."""
    make_everything()
    return Therapist.objects.get(bookings__in=Booking.objects.all())


def _member(role: str, therapist: Therapist) -> StaffMember:
    member = make_member(role, password=PASSWORD)
    BulkAction.objects.update(actor=f"staff:{member.id}")
    if role == THERAPIST:
        therapist.member = member
        therapist.save()
    return member


def _row(label: str) -> Model:
    return REGISTERED[label]._base_manager.exclude(pk=None).order_by("pk")[0]


def _may_open(client: Client, member: StaffMember, address: str, data: dict[str, str] | None = None) -> bool:
    """Knock once; a page may have thrown them out, so they come in anew each time."""
    client.force_login(member)
    answer = client.get(address) if data is None else client.post(address, data)
    return answer.status_code == LETS_IN


def _found(client: Client, member: StaffMember) -> dict[str, tuple[bool, ...]]:
    found = {}
    for label in REGISTERED:
        pk = _row(label).pk
        at = {page: reverse(f"admin:{model_page(label, page)}", args=_of(page, pk)) for page in OF_EVERY_MODEL}
        # A row that is not theirs does not exist for them: 302.
        seen = {_may_open(client, member, at[page]) for page in ("changelist", "history", "change")}
        assert len(seen) == 1, f"{label}: list, page and history do not agree"
        written = (
            _may_open(client, member, at["add"]),
            _may_open(client, member, at["change"], {}),
            _may_open(client, member, at["delete"]),
        )
        found[label] = (*seen, *written)
    return found


def _of(page: str, pk: object) -> list[object]:
    return [] if page in {"changelist", "add"} else [pk]


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_the_pages_of_models_that_are_decided(client: Client, therapist: Therapist, role: str) -> None:
    found = _found(client, _member(role, therapist))

    letter = LETTERS[role]
    assert found == {label: tuple(letter in part for part in decision) for label, decision in MODELS.items()}


def _arguments(name: str, role: str) -> list[object]:
    """Fill in the address: with the row of the model that the page is about."""
    about = {
        "auth_user_password_change": "staff.StaffMember",
        "bookings_booking_move": "bookings.Booking",
        "bookings_booking_reveal": "bookings.Booking",
        "bookings_calendarfinding_reveal": "bookings.CalendarFinding",
        "consent_consentrecord_reveal": "consent.ConsentRecord",
        "subject_requests_subjectrequest_reveal": "subject_requests.SubjectRequest",
        "payments_payment_refund": "payments.Payment",
        "receipts_pdf": "receipts.Receipt",
        "receipts_receipt_reveal": "receipts.Receipt",
    }
    if name == "app_list":
        return [ROLES[role][-1].partition(".")[0]]
    if name == "view_on_site":
        return [ContentType.objects.get_for_model(Booking).pk, _row("bookings.Booking").pk]
    return [_row(about[name]).pk] if name in about else []


@pytest.mark.parametrize("role", ROLES)
def test_role_opens_the_other_pages_that_are_decided(client: Client, therapist: Therapist, role: str) -> None:
    member = _member(role, therapist)
    found = set()
    for name in PAGES:
        client.force_login(member)
        answer = client.get(reverse(f"admin:{name}", args=_arguments(name, role)))
        if answer.status_code not in {403, 404}:
            found.add(name)

    assert found == {name for name, letters in PAGES.items() if LETTERS[role] in letters}


@pytest.mark.parametrize("role", ROLES)
def test_role_is_offered_the_actions_that_are_decided(client: Client, therapist: Therapist, role: str) -> None:
    client.force_login(_member(role, therapist))
    request = client.get("/admin/").wsgi_request

    offered = {label: set(admin.site._registry[model].get_actions(request)) for label, model in REGISTERED.items()}

    letter = LETTERS[role]
    assert offered == {
        label: {name for name, letters in ACTIONS.get(label, {}).items() if letter in letters} for label in REGISTERED
    }


@pytest.mark.parametrize("role", ROLES)
def test_role_is_served_the_calls_that_are_decided(client: Client, therapist: Therapist, role: str) -> None:
    member = _member(role, therapist)
    _, pair = sign_in(username=member.username, password=PASSWORD, code="", now=timezone.now())

    served = set()
    for call in CALLS:
        method, path = call.replace("{pk}", BOOKING.encode(UUID(str(_row("bookings.Booking").pk)))).split(" ")
        answer = getattr(client, method)(
            path, {}, "application/json", headers={"Authorization": f"Bearer {pair.access}"}
        )
        if answer.status_code != 403:
            served.add(call)

    assert served == {call for call, letters in CALLS.items() if LETTERS[role] in letters}


@pytest.mark.parametrize("label", ["bookings.Booking", "bookings.CalendarFinding"])
def test_therapist_finds_nothing_of_a_colleague_anywhere(client: Client, therapist: Therapist, label: str) -> None:
    client.force_login(make_member(THERAPIST))
    row = _row(label)
    names = ("change", "history", "delete", "reveal")
    pages = [reverse(f"admin:{model_page(label, name)}", args=[row.pk]) for name in names]
    listed = reverse(f"admin:{model_page(label, 'changelist')}")

    opened = [client.get(page).status_code for page in pages]
    found = [
        len(client.get(listed, query).context["cl"].result_list) for query in ({}, {"q": str(row.pk)}, {"all": ""})
    ]

    assert (opened, found) == ([302, 302, 403, 404], [0, 0, 0])


def test_therapist_acts_on_no_session_of_a_colleague(client: Client, therapist: Therapist) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    Booking.objects.update(state="COMPLETED", starts_at=long_ago, ends_at=long_ago + timedelta(minutes=50))
    client.force_login(make_member(THERAPIST))
    chosen = {"action": "note_absence", "_selected_action": str(_row("bookings.Booking").pk), "confirmed": "yes"}

    client.post(reverse("admin:bookings_booking_changelist"), chosen | {"select_across": "1"})

    assert list(Booking.objects.values_list("state", flat=True)) == ["COMPLETED"]
