"""Who reads the table of sessions can be nobody by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from mindfulqalb.staff.sessions import SessionStore
from mindfulqalb.staff.tests.builders import log_in

pytestmark = pytest.mark.django_db

INDEX = "/admin/"


def opened() -> SessionStore:
    session = SessionStore()
    session["colour"] = "green"
    session.save()
    return session


def test_what_the_table_holds_opens_nothing(client: Client) -> None:
    log_in(client)
    (stored,) = Session.objects.values_list("session_key", flat=True)
    thief = Client()
    thief.cookies["sessionid"] = stored

    statuses = (client.get(INDEX).status_code, thief.get(INDEX).status_code)

    assert (statuses, stored in str(client.cookies)) == ((200, 302), False)


def test_session_is_found_by_its_own_key_alone() -> None:
    session = opened()
    assert session.session_key

    kept = SessionStore(session.session_key)

    assert (kept["colour"], kept.exists(session.session_key), kept.exists("other")) == ("green", True, False)
    assert (SessionStore("x" * 32).get("colour"), SessionStore(None).get("colour")) == (None, None)


def test_session_is_changed_in_its_place() -> None:
    session = SessionStore(opened().session_key)
    session["colour"] = "blue"
    session.save()

    assert (Session.objects.count(), SessionStore(session.session_key)["colour"]) == (1, "blue")


def test_session_gets_another_key_and_keeps_what_it_knows() -> None:
    session = opened()
    before = session.session_key

    session.cycle_key()
    session.save()

    assert (SessionStore(session.session_key)["colour"], SessionStore(before).get("colour")) == ("green", None)
    assert Session.objects.count() == 1


def test_session_is_deleted_by_its_key_or_itself() -> None:
    one, other = opened(), opened()

    one.delete()
    SessionStore().delete(other.session_key)
    SessionStore().delete()

    assert Session.objects.count() == 0


def test_session_that_is_over_is_not_found() -> None:
    session = opened()
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    found = SessionStore(session.session_key)

    assert (found.get("colour"), found.session_key) == (None, None)
