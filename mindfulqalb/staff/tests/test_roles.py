"""Roles hold what their table says, and an administrator is no superuser."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff import roles
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import ADMINISTRATOR, FRONT_DESK, ROLES, UnknownPermission, load_roles
from mindfulqalb.staff.tests.builders import make_authenticator, make_member, make_superuser

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

STAFF = "/admin/staff/staffmember/"


def held() -> dict[str, list[str]]:
    return {
        group.name: sorted(f"{item.content_type.app_label}.{item.codename}" for item in group.permissions.all())
        for group in Group.objects.prefetch_related("permissions__content_type")
    }


def test_groups_are_there_after_migrate_and_empty_until_loaded() -> None:
    assert held() == {name: [] for name in ROLES}


def test_loading_gives_just_what_the_table_says_however_often() -> None:
    load_roles()
    Group.objects.get(name=FRONT_DESK).permissions.add(Permission.objects.get(codename="add_refund"))

    call_command("load_roles", stdout=StringIO())

    assert held() == {name: sorted(labels) for name, labels in ROLES.items()}


def test_slip_in_the_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles, "ROLES", {FRONT_DESK: ("bookings.view_bokking", "bookings.view_booking")})

    with pytest.raises(UnknownPermission, match=r"^bookings\.view_bokking$"):
        load_roles()


def test_no_role_may_write_evidence_or_delete_people() -> None:
    verbs = {
        label.split(".")[1] for labels in ROLES.values() for label in labels if "record" in label or "audit" in label
    }

    trail = {f"view_audit{name}" for name in ("checkpoint", "event", "seal", "verification")}
    assert verbs == {"export_evidence", "reveal_consentrecord", "view_consentrecord", *trail}
    assert [label for labels in ROLES.values() for label in labels if label.startswith("staff.delete")] == []


def test_account_is_made_with_its_role_and_its_password_is_shown_once() -> None:
    load_roles()
    out = StringIO()

    call_command("create_staff", "ravi", email="ravi@example.com", roles=[FRONT_DESK], name="Ravi Rao", stdout=out)

    member = StaffMember.objects.get(username="ravi")
    password = out.getvalue().strip().rpartition(" ")[2]
    names = (member.get_full_name(), member.email, member.is_staff, member.is_superuser)
    assert names == ("Ravi Rao", "ravi@example.com", True, False)
    assert (member.check_password(password), list(member.groups.values_list("name", flat=True))) == (True, [FRONT_DESK])
    assert AuditEvent.objects.values_list("action", "target").get() == ("staff.created", f"staff:{member.id}")


@pytest.mark.parametrize(
    ("username", "email", "role", "complaint"),
    [
        ("meera", "new@example.com", FRONT_DESK, "A user with that username already exists."),
        ("ravi", "no-email", FRONT_DESK, "Enter a valid email address."),
        ("ra vi", "ravi@example.com", FRONT_DESK, "Enter a valid username."),
        ("ravi", "ravi@example.com", "Janitor", "Unknown role: Janitor. There are: Therapist, Front desk,"),
    ],
)
def test_account_that_cannot_be_made_says_why(username: str, email: str, role: str, complaint: str) -> None:
    make_member()

    with pytest.raises(CommandError, match=complaint):
        call_command("create_staff", username, email=email, roles=[role], stdout=StringIO())

    assert StaffMember.objects.count() == 1


def test_administrator_sees_colleagues_and_cannot_become_a_superuser(client: Client) -> None:
    administrator = make_member(ADMINISTRATOR)
    boss = make_superuser()
    client.force_login(administrator)
    own = f"{STAFF}{administrator.id}/change/"

    client.post(own, {"username": "meera", "is_superuser": "on", "is_active": "on", "is_staff": "on", "_save": "Save"})
    statuses = [client.get(page).status_code for page in (STAFF, own, f"{STAFF}{boss.id}/change/")]
    refused = client.post(f"{STAFF}{boss.id}/change/", {"username": "boss"}).status_code
    password = client.get(f"{STAFF}{boss.id}/password/").status_code

    administrator.refresh_from_db()
    assert (administrator.is_superuser, statuses, refused, password) == (False, [200, 200, 200], 403, 403)
    assert 'name="is_superuser"' not in client.get(own).content.decode()
    assert 'name="groups"' not in client.get(own).content.decode()


def test_administrator_resets_the_second_factor_of_colleagues_and_not_of_a_superuser(client: Client) -> None:
    colleague, boss = make_member(username="ravi"), make_superuser()
    for member in (colleague, boss):
        make_authenticator(member)
    client.force_login(make_member(ADMINISTRATOR))
    chosen = {"action": "reset_second_factor", "_selected_action": [str(colleague.id), str(boss.id)]}

    asked = client.post(STAFF, chosen)
    client.post(STAFF, {**chosen, "confirmed": "yes"})

    assert ("<li>ravi</li>" in asked.content.decode(), "<li>asha</li>" in asked.content.decode()) == (True, False)
    assert [hasattr(StaffMember.objects.get(id=one.id), "authenticator") for one in (colleague, boss)] == [False, True]


def test_nobody_deletes_an_account(client: Client) -> None:
    member = make_member()
    client.force_login(make_superuser())

    statuses = [
        client.post(f"{STAFF}{member.id}/delete/", {"post": "yes"}).status_code,
        client.post(
            STAFF, {"action": "delete_selected", "_selected_action": [str(member.id)], "post": "yes"}
        ).status_code,
    ]

    assert (statuses[0], StaffMember.objects.filter(id=member.id).count()) == (403, 1)
