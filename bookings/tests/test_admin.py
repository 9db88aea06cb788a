from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse

from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_payment, make_wish, next_slot
from bookings.wishes import Customer

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

LIST = "admin:bookings_booking_changelist"
PERSON = Customer(name="Xanthippe Quuxworth", email="xanthippe@example.org", phone="+919812345678")
QUERIES_OF_THE_LIST = 6


def _make(number: int = 0, **overrides: object) -> Booking:
    slot = local(next_slot(9 + number))
    overrides.setdefault("state", BookingState.PENDING)
    return make_booking(wish=make_wish(day=slot.date(), clock=slot.time(), customer=PERSON), **overrides)


def _page(booking: Booking, page: str = "change") -> str:
    return reverse(f"admin:bookings_booking_{page}", args=[booking.id])


def _found(client: Client, **query: str) -> list[UUID]:
    response = client.get(reverse(LIST), query)
    return [row.id for row in response.context["cl"].result_list]


def _traces(booking: Booking, text: str) -> list[str]:
    traces = ["xanthippe", "quuxworth", "9812345678", booking.customer_email_hash, "203.0.113.7", "sealed"]
    return [trace for trace in traces if trace in text.lower()]


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_the_same_queries_for_any_number_of_bookings(
    count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        _make(number, payment=make_payment())

    _found(admin_client)  # the first click of a minute renews the session

    with django_assert_num_queries(QUERIES_OF_THE_LIST):
        assert len(_found(admin_client)) == count


def test_list_shows_the_latest_session_first(admin_client: Client) -> None:
    bookings = [_make(number) for number in range(3)]

    assert _found(admin_client) == [booking.id for booking in reversed(bookings)]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"payment_status": "captured"}, {"who_comes": "Individual", "session_format": "Video", "paid": "Paid"}),
        ({"payment_status": "unpaid", "session_type": "couples"}, {"who_comes": "Couples", "paid": "Not paid"}),
        ({"payment_status": "not_required"}, {"paid": "Nothing to pay", "state": "Being written into the calendar"}),
        ({"payment_status": "something_new", "session_type": "old"}, {"who_comes": "old", "paid": "something_new"}),
    ],
)
def test_list_speaks_in_words(admin_client: Client, overrides: dict[str, Any], said: dict[str, str]) -> None:
    _make(**overrides)

    page = admin_client.get(reverse(LIST)).content.decode()

    assert [text for name, text in said.items() if f'field-{name}">{text}<' not in page] == []


def test_list_shows_no_person(admin_client: Client) -> None:
    booking = _make()

    page = admin_client.get(reverse(LIST)).content.decode()

    assert (_traces(booking, page), str(booking.id) in page) == ([], True)


def test_detail_shows_the_session_and_no_person(admin_client: Client) -> None:
    booking = _make(payment=make_payment(), held_from="f" * 64)

    response = admin_client.get(_page(booking))

    page = response.content.decode()
    assert (response.status_code, _traces(booking, page), "f" * 64 in page) == (200, [], False)
    assert str(booking.consent_id) in page


def test_detail_lets_nobody_change_anything(admin_client: Client) -> None:
    booking = _make()

    page = admin_client.get(_page(booking)).content.decode()
    response = admin_client.post(_page(booking), {"state": BookingState.CONFIRMED})

    booking.refresh_from_db()
    assert re.findall(r'name="(_save|_continue|_addanother|state)"', page) == []
    assert (response.status_code, booking.state) == (403, BookingState.PENDING)


@pytest.mark.parametrize("method", ["get", "post"])
def test_bookings_are_neither_added_nor_deleted_by_hand(method: str, admin_client: Client) -> None:
    booking = _make()
    pages = [reverse("admin:bookings_booking_add"), _page(booking, "delete")]

    statuses = [getattr(admin_client, method)(page, {"post": "yes"}).status_code for page in pages]

    assert (statuses, Booking.objects.count()) == ([403, 403], 1)


def test_list_offers_no_action_that_deletes(admin_client: Client) -> None:
    booking = _make()

    admin_client.post(
        reverse(LIST), {"action": "delete_selected", "_selected_action": [str(booking.id)], "post": "yes"}
    )

    assert Booking.objects.count() == 1


def test_history_shows_no_person(admin_client: Client) -> None:
    booking = _make()

    assert _traces(booking, admin_client.get(_page(booking, "history")).content.decode()) == []


def test_search_finds_by_our_id_and_the_vendors(admin_client: Client) -> None:
    payment = make_payment()
    booking = _make(payment=payment, calcom_booking_id="uid77")
    _make(1)

    wanted = [str(booking.id), "uid77", str(payment.provider_payment_id)]
    assert [_found(admin_client, q=word) for word in wanted] == [[booking.id]] * 3


@pytest.mark.parametrize("word", ["xanthippe", "xanthippe@example.org", "9812345678"])
def test_search_finds_no_person(word: str, admin_client: Client) -> None:
    _make()

    assert _found(admin_client, q=word) == []


@pytest.mark.parametrize("word", ["\x00", "%", "'", "x" * 5_000])
def test_search_survives_anything(word: str, admin_client: Client) -> None:
    _make()

    assert admin_client.get(reverse(LIST), {"q": word}).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("state__exact", "HELD"), ("session_type", "individual")],
)
def test_filters_narrow_the_list(name: str, value: str, admin_client: Client) -> None:
    slot = local(next_slot(14))
    wish = make_wish(session_type="couples", session_format="audio", day=slot.date(), clock=slot.time())
    other = make_booking(wish=wish, state=BookingState.PENDING)
    wanted = _make(state=BookingState.HELD)

    assert (_found(admin_client), _found(admin_client, **{name: value})) == ([other.id, wanted.id], [wanted.id])


def test_pages_are_for_staff_with_the_permission(client: Client) -> None:
    booking = _make()
    pages = [reverse(LIST), _page(booking)]
    user = get_user_model().objects.create_user("auditor", is_staff=True)
    stranger = [client.get(page).status_code for page in pages]
    client.force_login(user)
    colleague = [client.get(page).status_code for page in pages]
    user.user_permissions.add(Permission.objects.get(codename="view_booking"))
    of_nobody = [client.get(page).status_code for page in pages]
    user.user_permissions.add(Permission.objects.get(codename="see_every_therapist"))

    permitted = [client.get(page).status_code for page in pages]

    # Whoever is no therapist has no sessions of their own: the list is empty, and this one is not there.
    assert (stranger, colleague, of_nobody, permitted) == ([302, 302], [403, 403], [200, 302], [200, 200])
