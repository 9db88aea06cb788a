"""The login of a development machine."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.tests.builders import make_superuser

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


LINE = re.compile(r"Admin login, shown this once: user admin, password (\S{16})\n")


def run() -> str:
    out = StringIO()
    call_command("create_development_staff", stdout=out)
    return out.getvalue()


def test_login_is_printed_once_and_works() -> None:
    said = [run(), run()]

    printed = LINE.fullmatch(said[0])
    assert printed is not None
    member = authenticate(username="admin", password=printed[1])
    assert (said[1], member, StaffMember.objects.count()) == ("", StaffMember.objects.get(is_superuser=True), 1)


def test_password_is_another_one_on_every_machine() -> None:
    first = run()
    StaffMember.objects.all().delete()

    assert run() != first


def test_whoever_can_log_in_already_is_left_alone() -> None:
    make_superuser()

    assert (run(), list(StaffMember.objects.values_list("username", flat=True))) == ("", ["asha"])


def test_nothing_is_made_outside_of_development(settings: Settings) -> None:
    settings.DEVELOPMENT = False

    with pytest.raises(CommandError, match="in production use createsuperuser"):
        run()

    assert StaffMember.objects.count() == 0
