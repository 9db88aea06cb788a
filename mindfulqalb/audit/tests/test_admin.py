"""Who did what, as the admin tells an auditor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mindfulqalb.audit.tests.test_services import make_event
from mindfulqalb.staff.tests.builders import log_in, make_member

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/auditevent/"


def found(client: Client, **query: Any) -> list[AuditEvent]:
    return list(client.get(LIST, query).context["cl"].result_list)


def test_list_and_event_name_staff_beside_their_id(client: Client) -> None:
    log_in(client)
    actor = f"staff:{make_member().pk}"
    event = make_event(actor=actor)

    pages = [client.get(address).content.decode() for address in (LIST, f"{LIST}{event.pk}/change/")]

    assert [f"meera ({actor})" in page for page in pages] == [True, True]


@pytest.mark.parametrize("actor", ["system", "vendor:stripe", "staff:1", "staff:00000000-0000-0000-0000-000000000000"])
def test_actor_without_a_login_name_is_shown_as_it_is(client: Client, actor: str) -> None:
    log_in(client)
    event = make_event(actor=actor)

    pages = [client.get(address).content.decode() for address in (LIST, f"{LIST}{event.pk}/change/")]

    assert [f">{actor}<" in page for page in pages] == [True, True]


def test_search_takes_a_whole_login_name_an_actor_or_an_action(client: Client) -> None:
    log_in(client)
    actor = f"staff:{make_member().pk}"
    event = make_event(actor=actor, action="consents.exported")
    make_event()

    asked = ("meera", actor, "consents.exported", "consents")

    assert [found(client, q=term) for term in asked] == [[event], [event], [event], []]


def test_filter_by_action_keeps_that_action(client: Client) -> None:
    log_in(client)
    event = make_event(action="consents.exported")
    make_event()

    assert found(client, action="consents.exported") == [event]


def test_list_asks_as_often_for_three_events_as_for_one(client: Client) -> None:
    log_in(client)
    actor = f"staff:{make_member().pk}"

    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get(LIST)
        return len(caught)

    make_event(actor=actor)
    queries()  # warm
    one = queries()
    for _ in range(2):
        make_event(actor=actor)

    assert queries() == one
