"""Staff at work on prices and offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from mindfulqalb.catalogue.models import EVENT_TYPE_OF_ANOTHER, CancellationRule, Price, SessionOffer
from mindfulqalb.catalogue.tests.builders import make_offer, make_price, make_therapist
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

ADD = "admin:catalogue_sessionoffer_add"
CHANGE = "admin:catalogue_sessionoffer_change"
DELETE = "admin:catalogue_sessionoffer_delete"
LIST = "admin:catalogue_sessionoffer_changelist"


@pytest.fixture(autouse=True)
def _staff(client: Client) -> None:
    log_in(client)


def form(offer: SessionOffer, price: Price | None = None, **overrides: Any) -> dict[str, Any]:
    """The offer's page as a browser would send it back."""
    values: dict[str, Any] = {
        "title": offer.title,
        "duration_minutes": offer.duration_minutes,
        "buffer_minutes": offer.buffer_minutes,
        "therapist": str(offer.therapist_id),
        "calendar_event_type": "",
        "is_default": "on" if offer.is_default else "",
        "is_active": "on",
        "position": offer.position,
        "moves_allowed": "2",
        "move_notice_hours": "24",
        "prices-TOTAL_FORMS": 1 if price else 0,
        "prices-INITIAL_FORMS": 1 if price else 0,
    }
    if price:
        values |= {
            "prices-0-id": str(price.id),
            "prices-0-offer": str(offer.id),
            "prices-0-currency": price.currency,
            "prices-0-amount_minor": price.amount_minor,
        }
    return values | overrides


def errors(response: Any) -> list[str]:
    """What the page complains of: the form's errors, then the inlines'."""
    page = response.context["errors"]
    return [str(message) for messages in page for message in messages]


def test_offer_and_price_are_edited_on_one_page(client: Client) -> None:
    offer = make_offer()
    price = make_price(offer)
    changed = form(offer, price, title="One hour", duration_minutes=50, **{"prices-0-amount_minor": 139900})

    response = client.post(reverse(CHANGE, args=[offer.id]), changed)

    offer.refresh_from_db()
    price.refresh_from_db()
    assert (response.status_code, offer.title, offer.duration_minutes, price.amount_minor) == (
        302,
        "One hour",
        50,
        139900,
    )


def test_offer_is_switched_off(client: Client) -> None:
    offer = make_offer()

    client.post(reverse(CHANGE, args=[offer.id]), form(offer, is_active=""))

    offer.refresh_from_db()
    assert offer.is_active is False


def test_offer_is_added(client: Client) -> None:
    make_offer(is_default=False)
    new = form(SessionOffer(title="By phone", duration_minutes=45, therapist=make_therapist()))

    response = client.post(reverse(ADD), new | {"session_type": "individual", "format": "audio"})

    added = SessionOffer.objects.get(format="audio")
    assert (response.status_code, added.code, added.title) == (302, "individual-audio", "By phone")


def test_offer_keeps_its_type_and_format_as_payments_and_bookings_know_it_by_them(client: Client) -> None:
    offer = make_offer()

    client.post(reverse(CHANGE, args=[offer.id]), form(offer, session_type="free", format="chat", title="Changed"))

    offer.refresh_from_db()
    assert (offer.code, offer.title) == ("individual-video", "Changed")


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"title": ""}, "This field is required."),
        ({"duration_minutes": "-5"}, "Ensure this value is greater than or equal to 0."),
        ({"duration_minutes": "0"}, "A session lasts at least a minute."),
        ({"prices-0-amount_minor": "49"}, "Gateways take no less than 50 paise or cents."),
        ({"prices-0-currency": "EUR"}, "Select a valid choice. EUR is not one of the available choices."),
    ],
)
def test_offer_is_not_saved_with(client: Client, overrides: dict[str, str], complaint: str) -> None:
    offer = make_offer()
    price = make_price(offer)

    response = client.post(reverse(CHANGE, args=[offer.id]), form(offer, price, **{"position": 7, **overrides}))

    offer.refresh_from_db()
    assert (response.status_code, errors(response), offer.position) == (200, [complaint], 0)


def test_second_default_of_a_type_is_refused_in_words(client: Client) -> None:
    make_offer()
    other = make_offer(format="audio", is_default=False)

    response = client.post(reverse(CHANGE, args=[other.id]), form(other, is_default="on"))

    assert errors(response) == ["Another offer of this type is its default: untick it there first."]


def test_offer_cannot_be_deleted_by_any_door(client: Client) -> None:
    offer = make_offer()
    chosen = {"action": "delete_selected", "_selected_action": [str(offer.id)], "post": "yes"}

    pages = [
        client.get(reverse(DELETE, args=[offer.id])),
        client.post(reverse(DELETE, args=[offer.id]), {"post": "yes"}),
    ]
    client.post(reverse(LIST), chosen)

    assert ([page.status_code for page in pages], SessionOffer.objects.count()) == ([403, 403], 1)


@pytest.mark.parametrize("item_count", [1, 3])
def test_list_of_offers_shows_them_in_the_pages_order(client: Client, item_count: int) -> None:
    for number in range(item_count):
        make_offer(format=("chat", "audio", "video")[number], is_default=False, position=item_count - number)

    rows = client.get(reverse(LIST)).context["cl"].result_list

    assert [row.format for row in rows] == ["chat", "audio", "video"][:item_count][::-1]


def test_therapist_who_sells_something_is_not_deleted(client: Client) -> None:
    offer = make_offer()

    page = client.post(reverse("admin:catalogue_therapist_delete", args=[offer.therapist_id]), {"post": "yes"})

    assert (page.status_code, SessionOffer.objects.get().therapist) == (200, offer.therapist)


@pytest.mark.parametrize(("percent", "complaints"), [("101", ["At most 100 percent can go back."]), ("100", [])])
def test_cancellation_rule_is_edited_within_bounds(client: Client, percent: str, complaints: list[str]) -> None:
    rule = CancellationRule.objects.create(hours_before=24, refund_percent=50)

    response = client.post(
        reverse("admin:catalogue_cancellationrule_change", args=[rule.id]),
        {"hours_before": "36", "refund_percent": percent},
    )

    rule.refresh_from_db()
    assert (errors(response) if complaints else [], rule.hours_before) == (complaints, 24 if complaints else 36)


def test_event_type_of_another_therapist_is_refused(client: Client) -> None:
    make_offer(calendar_event_type="9001")
    offer = make_offer(format="audio", is_default=False, therapist=make_therapist(slug="ravi", name="Dr. Ravi"))

    response = client.post(reverse(CHANGE, args=[offer.id]), form(offer, calendar_event_type="9001"))

    offer.refresh_from_db()
    assert (response.status_code, offer.calendar_event_type) == (200, "")
    assert set(errors(response)) == {EVENT_TYPE_OF_ANOTHER}


def test_event_type_that_the_settings_give_to_two_therapists_is_refused(client: Client, settings: Settings) -> None:
    """`individual` stands for all its formats, so one of them cannot be another therapist's without its own."""
    settings.CALCOM_EVENT_TYPE_IDS = {"individual": "9001"}
    make_offer()
    offer = make_offer(format="audio", is_default=False)
    ravi = make_therapist(slug="ravi", name="Dr. Ravi")

    refused = client.post(reverse(CHANGE, args=[offer.id]), form(offer, therapist=str(ravi.id)))
    taken = client.post(
        reverse(CHANGE, args=[offer.id]), form(offer, therapist=str(ravi.id), calendar_event_type="9002")
    )

    offer.refresh_from_db()
    assert (refused.status_code, errors(refused)) == (200, [EVENT_TYPE_OF_ANOTHER])
    assert (taken.status_code, offer.therapist, offer.calendar_event_type) == (302, ravi, "9002")


def test_buffer_is_edited_with_the_offer(client: Client) -> None:
    offer = make_offer()

    client.post(reverse(CHANGE, args=[offer.id]), form(offer, buffer_minutes=15))

    offer.refresh_from_db()
    assert offer.buffer_minutes == 15
