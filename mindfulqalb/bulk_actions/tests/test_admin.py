"""The page that shows how far it is, to whom it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from mindfulqalb.bulk_actions.tests.builders import begin, make_clerk, make_dead, work
from mindfulqalb.staff.roles import ADMINISTRATOR
from mindfulqalb.staff.tests.builders import make_member, make_superuser

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from mindfulqalb.bulk_actions.models import BulkAction

pytestmark = pytest.mark.django_db

LIST = "/admin/bulk_actions/bulkaction/"


def page_of(begun: BulkAction) -> str:
    return reverse("admin:bulk_actions_bulkaction_change", args=[begun.id])


def test_page_says_how_far_it_is_and_how_to_look_again(client: Client) -> None:
    begun = begin(make_clerk(client), make_dead(3))

    waiting = client.get(page_of(begun)).content.decode()
    work(begun)
    finished = client.get(page_of(begun)).content.decode()

    assert ('<progress max="3" value="0"' in waiting, "0 of 3 done, 3 waiting." in waiting) == (True, True)
    assert ('<progress max="3" value="3"' in finished, "3 of 3 done." in finished) == (True, True)
    assert ["Look again every 5 seconds" in page for page in (waiting, finished)] == [True, False]


def test_page_is_loaded_anew_by_itself_only_for_whoever_asks_and_until_it_is_finished(client: Client) -> None:
    begun = begin(make_clerk(client), make_dead(1))

    plain, watched = client.get(page_of(begun)), client.get(page_of(begun), {"watch": ""})
    work(begun)
    finished = client.get(page_of(begun), {"watch": ""})

    assert [page.headers.get("Refresh") for page in (plain, watched, finished)] == [None, "5", None]
    assert "Stop looking again" in watched.content.decode()


def test_everybody_sees_their_own_and_a_superuser_all(client: Client) -> None:
    theirs = begin(make_member(ADMINISTRATOR, username="ravi"), make_dead(1))
    clerk = make_clerk(client)
    own = begin(clerk, make_dead(1))

    listed = [list(client.get(LIST).context["cl"].result_list), client.get(page_of(theirs)).status_code]
    client.force_login(make_superuser())
    everything = [len(client.get(LIST).context["cl"].result_list), client.get(page_of(theirs)).status_code]

    assert (listed, everything) == ([[own], 302], [2, 200])


@pytest.mark.parametrize("item_count", [1, 3])
def test_list_takes_a_fixed_number_of_queries(
    item_count: int, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    clerk = make_clerk(client)
    for _ in range(item_count):
        begin(clerk, make_dead(2))
    client.get(LIST)  # the first click of a minute renews the session

    with django_assert_num_queries(7):
        response = client.get(LIST)

    assert len(response.context["cl"].result_list) == item_count
