from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Permission
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, make_message, read

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from mindfulqalb.outbox.registry import Delivery

pytestmark = pytest.mark.django_db

CHANGELIST = "admin:outbox_outboxmessage_changelist"


def retry(client: Client, *chosen: OutboxMessage) -> list[str]:
    """Choose messages and press the button; return what the next page says."""
    data = {"action": "retry", "_selected_action": [str(message.id) for message in chosen]}
    response = client.post(reverse(CHANGELIST), data, follow=True)
    return [str(message) for message in response.context["messages"]]


def make_dead(**overrides: object) -> OutboxMessage:
    return make_message(**{"state": State.DEAD, "finished_at": NOW, "last_error": "ProviderError: no", **overrides})


def make_viewer(client: Client) -> AbstractUser:
    viewer = get_user_model().objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_outboxmessage"))
    client.force_login(viewer)
    return viewer


@pytest.mark.parametrize("item_count", [1, 3])
def test_the_list_shows_messages_in_a_fixed_number_of_queries(
    item_count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(item_count):
        make_dead(lane=f"booking:{number}")

    admin_client.get(reverse(CHANGELIST))  # the first click of a minute renews the session

    with django_assert_num_queries(6):
        response = admin_client.get(reverse(CHANGELIST))

    assert [row.lane for row in response.context["cl"].result_list] == [
        f"booking:{number}" for number in reversed(range(item_count))
    ]


def test_the_list_escapes_what_a_vendor_said(admin_client: Client) -> None:
    make_dead(last_error="ProviderError: <b>no</b>")

    page = admin_client.get(reverse(CHANGELIST)).content.decode()

    assert (page.count("<b>no</b>"), page.count("&lt;b&gt;no&lt;/b&gt;")) == (0, 1)


def test_the_list_is_filtered_by_topic(admin_client: Client, delivered: list[Delivery]) -> None:
    make_message(lane="booking:1")
    make_message(lane="booking:2", topic="test.other")

    response = admin_client.get(reverse(CHANGELIST), {"topic": "test.work"})

    assert [row.lane for row in response.context["cl"].result_list] == ["booking:1"]


def test_a_message_can_be_read_and_not_changed(admin_client: Client) -> None:
    message = make_dead()
    page = reverse("admin:outbox_outboxmessage_change", args=[message.id])

    shown = admin_client.get(page)
    refused = admin_client.post(page, {"state": State.DELIVERED})

    assert (shown.status_code, shown.context["has_change_permission"], refused.status_code) == (200, False, 403)
    assert read(message, "state") == (State.DEAD,)


@pytest.mark.parametrize("page", ["add", "delete"])
def test_messages_are_neither_added_nor_deleted_by_hand(page: str, admin_client: Client) -> None:
    dead = make_dead()
    arguments = [dead.id] if page == "delete" else []

    assert admin_client.post(reverse(f"admin:outbox_outboxmessage_{page}", args=arguments)).status_code == 403
    assert OutboxMessage.objects.count() == 1


def test_retry_revives_the_dead_in_the_name_of_the_clerk(admin_client: Client, admin_user: AbstractUser) -> None:
    dead, delivered = make_dead(), make_message(state=State.DELIVERED, finished_at=NOW)

    assert retry(admin_client, dead, delivered) == [
        f"{delivered}: This message is not dead: it is tried again by itself, or it is delivered.",
        "Dead messages that are tried again: 1.",
    ]
    assert (*read(dead, "state"), *read(delivered, "state")) == (State.PENDING, State.DELIVERED)
    assert [event.actor for event in AuditEvent.objects.all()] == [f"staff:{admin_user.pk}"]


def test_retry_clicked_twice_revives_once(admin_client: Client) -> None:
    dead = make_dead()

    said = [retry(admin_client, dead) for _ in range(2)]

    refused = f"{dead}: This message is not dead: it is tried again by itself, or it is delivered."
    assert said == [["Dead messages that are tried again: 1."], [refused]]
    assert read(dead, "fencing_token") == (1,)


def test_retry_keeps_the_order_of_a_lane_though_the_list_shows_the_newest_first(admin_client: Client) -> None:
    create, cancel = make_dead(), make_dead()

    retry(admin_client, cancel, create)

    assert read(create, "sequence") < read(cancel, "sequence")


def test_whoever_may_only_look_cannot_retry(client: Client) -> None:
    dead = make_dead()
    make_viewer(client)

    retry(client, dead)

    assert read(dead, "state") == (State.DEAD,)


def test_the_permission_to_retry_is_enough(client: Client) -> None:
    dead = make_dead()
    make_viewer(client).user_permissions.add(Permission.objects.get(codename="retry_outboxmessage"))

    retry(client, dead)

    assert read(dead, "state") == (State.PENDING,)
