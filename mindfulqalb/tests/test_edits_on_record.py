"""What staff edit in the admin is on record: who, which row, from what and to what."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from consent.models import ConsentDocument
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import CancellationRule, Price, SessionOffer, Therapist
from mindfulqalb.catalogue.tests.builders import make_offer, make_price, make_therapist
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import FRONT_DESK, load_roles
from mindfulqalb.staff.tests.builders import log_in, make_member

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor(client: Client) -> str:
    """Log a superuser in, and return how the trail calls them."""
    return f"staff:{log_in(client).pk}"


def edits(kind: str) -> list[tuple[str, str, str, Any]]:
    """The recorded edits of one kind of row, as action, target, actor and details."""
    events = AuditEvent.objects.filter(action__in=[f"{kind}.{what}" for what in ("added", "changed", "deleted")])
    return [(event.action, event.target, event.actor, event.details) for event in events.order_by("occurred_at")]


def send(client: Client, model: str, row: Any = None, **values: Any) -> None:
    name = "change" if row else "add"
    response = client.post(reverse(f"admin:{model}_{name}", args=[row.pk] if row else []), values)
    assert response.status_code == 302, response.context["errors"]


def offer_form(offer: SessionOffer, price: Price, **overrides: Any) -> dict[str, Any]:
    names = ("title", "duration_minutes", "buffer_minutes", "position", "moves_allowed", "move_notice_hours")
    values = {name: getattr(offer, name) for name in names}
    values |= {"therapist": str(offer.therapist_id), "is_active": "on", "is_default": "on" if offer.is_default else ""}
    values |= {"prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1, "prices-0-id": str(price.id)}
    values |= {"prices-0-offer": str(offer.id), "prices-0-currency": "INR", "prices-0-amount_minor": price.amount_minor}
    return values | overrides


def test_price_is_recorded_with_what_it_was(client: Client, editor: str) -> None:
    offer = make_offer()
    price = make_price(offer)
    before = price.amount_minor

    send(client, "catalogue_sessionoffer", offer, **offer_form(offer, price, **{"prices-0-amount_minor": 149_900}))

    changed = {"id": str(price.id), "changes": {"amount_minor": {"before": before, "after": 149_900}}}
    details = {"changes": {}, "prices": [changed]}
    assert edits("session_offer") == [("session_offer.changed", f"session_offer:{offer.id}", editor, details)]


def test_price_taken_out_is_recorded(client: Client, editor: str) -> None:
    offer = make_offer()
    price = make_price(offer)

    send(client, "catalogue_sessionoffer", offer, **offer_form(offer, price, **{"prices-0-DELETE": "on"}))

    gone = {"id": str(price.id), "deleted": {"currency": "INR", "amount_minor": price.amount_minor}}
    details = {"changes": {}, "prices": [gone]}
    assert edits("session_offer") == [("session_offer.changed", f"session_offer:{offer.id}", editor, details)]


def test_offer_given_to_another_therapist_is_recorded_by_ids(client: Client, editor: str) -> None:
    offer, other = make_offer(), make_therapist(slug="other")
    price, before = make_price(offer), str(offer.therapist_id)

    send(client, "catalogue_sessionoffer", offer, **offer_form(offer, price, therapist=str(other.id), is_active=""))

    changes = {"therapist": {"before": before, "after": str(other.id)}, "is_active": {"before": True, "after": False}}
    assert [details for *_, details in edits("session_offer")] == [{"changes": changes}]


def test_form_sent_back_as_it_was_is_no_event(client: Client, editor: str) -> None:
    offer = make_offer()
    price = make_price(offer)

    send(client, "catalogue_sessionoffer", offer, **offer_form(offer, price))

    assert edits("session_offer") == []


def test_cancellation_rule_is_recorded_from_its_making_to_its_end(client: Client, editor: str) -> None:
    send(client, "catalogue_cancellationrule", hours_before=72, refund_percent=90)
    rule = CancellationRule.objects.get(hours_before=72)
    send(client, "catalogue_cancellationrule", rule, hours_before=72, refund_percent=80)
    client.post(reverse("admin:catalogue_cancellationrule_delete", args=[rule.pk]), {"post": "yes"})

    added = {"hours_before": {"before": None, "after": 72}, "refund_percent": {"before": None, "after": 90}}
    target = f"cancellation_rule:{rule.pk}"
    assert edits("cancellation_rule") == [
        ("cancellation_rule.added", target, editor, {"changes": added}),
        ("cancellation_rule.changed", target, editor, {"changes": {"refund_percent": {"before": 90, "after": 80}}}),
        ("cancellation_rule.deleted", target, editor, {"row": {"hours_before": 72, "refund_percent": 80}}),
    ]


def test_rules_deleted_from_the_list_are_recorded_one_by_one(client: Client, editor: str) -> None:
    CancellationRule.objects.all().delete()
    rules = [CancellationRule.objects.create(hours_before=hours, refund_percent=50) for hours in (5, 7)]

    chosen = {"action": "delete_selected", "_selected_action": [str(rule.pk) for rule in rules], "post": "yes"}
    client.post(reverse("admin:catalogue_cancellationrule_changelist"), chosen)

    recorded = sorted((target, details["row"]["hours_before"]) for _, target, _, details in edits("cancellation_rule"))
    assert recorded == sorted((f"cancellation_rule:{rule.pk}", rule.hours_before) for rule in rules)


def test_name_of_a_therapist_is_recorded_as_changed_and_not_told(client: Client, editor: str) -> None:
    therapist = make_therapist()

    send(client, "catalogue_therapist", therapist, name="Dr. Nasreen Khan", slug=therapist.slug, is_active="on")

    assert [details for *_, details in edits("therapist")] == [{"changes": {"name": "changed"}}]
    assert Therapist.objects.get().name == "Dr. Nasreen Khan"


def test_text_of_a_draft_is_recorded_by_its_digest(client: Client, editor: str) -> None:
    values = {
        "kind": "privacy_notice",
        "version": "2030-01-01",
        "locale": "en",
        "title": "Notice",
        "acknowledgments": "",
    }
    draft = ConsentDocument.objects.create(**{**values, "acknowledgments": []}, text="Short.")

    send(client, "consent_consentdocument", draft, **values, text="Long. " * 50 + "End.")

    digest = hashlib.sha256(("Long. " * 50 + "End.").encode()).hexdigest()
    changes = {"text": {"before": "Short.", "after": f"sha256:{digest}"}}
    assert [details for *_, details in edits("consent_document")] == [{"changes": changes}]


def test_account_is_recorded_by_its_roles_and_nobodys_name(client: Client, editor: str) -> None:
    load_roles()
    member = make_member(username="ravi")
    role = Group.objects.get(name=FRONT_DESK)
    dates = {"last_login_0": "", "date_joined_0": ""}
    values = {"username": "ravi", "first_name": "Ravindra", "last_name": "", "email": member.email, "is_staff": "on"}

    send(client, "staff_staffmember", member, **values, **dates, groups=[role.pk])

    changes = {
        "first_name": "changed",
        "is_active": {"before": True, "after": False},
        "groups": {"before": [], "after": [str(role.pk)]},
    }
    target = f"staff:{member.pk}"
    assert edits("staff") == [("staff.changed", target, editor, {"changes": changes})]
    assert StaffMember.objects.get(pk=member.pk).first_name == "Ravindra"


def test_role_changed_by_hand_is_recorded_with_its_permissions(client: Client, editor: str) -> None:
    role = Group.objects.create(name="Auditors")
    permission = Permission.objects.get(codename="view_consentrecord")

    send(client, "auth_group", role, name="Auditors", permissions=[permission.pk])

    changes = {"permissions": {"before": [], "after": [str(permission.pk)]}}
    assert edits("role") == [("role.changed", f"role:{role.pk}", editor, {"changes": changes})]


def test_new_password_is_on_record_without_a_word_of_it(client: Client, editor: str) -> None:
    member = make_member(username="ravi")
    word = "a-long-and-new-passphrase-9"

    values = {"password1": word, "password2": word, "usable_password": "true"}
    response = client.post(reverse("admin:auth_user_password_change", args=[member.pk]), values)

    assert response.status_code == 302
    assert edits("staff") == [("staff.changed", f"staff:{member.pk}", editor, {"changes": {"password": "changed"}})]
