"""What a caller means, what it costs, and in which calendar it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.catalogue.models import CancellationRule, Price, SessionOffer, Therapist
from mindfulqalb.catalogue.queries import (
    NothingToPay,
    NotSoldInCurrency,
    UnknownSession,
    active_offers,
    event_type_of,
    event_types_of,
    find_offer,
    price_of,
    refund_percent,
)
from mindfulqalb.catalogue.services import load_default_catalogue
from mindfulqalb.catalogue.tests.builders import make_offer, make_price, make_therapist

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

TYPES = "Choose from individual, couples, family, free."
FORMATS = "Choose from chat, audio, video."


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    load_default_catalogue(therapist_name="Dr. Asha")


def offers(session_type: str) -> Any:
    return SessionOffer.objects.filter(session_type=session_type)


@pytest.mark.parametrize(
    ("session_type", "session_format", "code"),
    [
        ("individual", None, "individual-video"),
        ("individual", "", "individual-video"),
        ("individual", "chat", "individual-chat"),
        ("individual", "audio", "individual-audio"),
        ("individual-audio", None, "individual-audio"),
        ("individual-video", "video", "individual-video"),
        ("chat", None, "individual-chat"),
        ("audio", None, "individual-audio"),
        ("video", None, "individual-video"),
        ("video", "video", "individual-video"),
        ("couples", None, "couples-video"),
        ("couples", "audio", "couples-audio"),
        ("couples-audio", None, "couples-audio"),
        ("family", None, "family-video"),
        ("family-audio", None, "family-audio"),
        ("free", None, "free"),
        ("free", "audio", "free"),
        ("free", "video", "free"),
        ("free-audio", None, "free"),
    ],
)
def test_find_offer_knows_every_spelling(session_type: str, session_format: str | None, code: str) -> None:
    assert find_offer(session_type=session_type, session_format=session_format).code == code


@pytest.mark.parametrize("spelling", ["individual-video", "video"])
def test_find_offer_believes_the_name_before_the_format_beside_it(spelling: str) -> None:
    assert find_offer(session_type=spelling, session_format="audio").code == "individual-video"


@pytest.mark.parametrize(
    ("session_type", "session_format", "fields"),
    [
        ("astrology", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("Individual", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("-video", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("video-individual", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("indi\x00vidual", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("individual' OR 1=1 --", None, {"sessionType": [f"Unknown session type. {TYPES}"]}),
        ("individual-fax", None, {"sessionType": [f"Unknown format. {FORMATS}"]}),
        ("individual-video-", None, {"sessionType": [f"Unknown format. {FORMATS}"]}),
        ("individual", "fax", {"format": [f"Unknown format. {FORMATS}"]}),
        ("individual", "vi\x00deo", {"format": [f"Unknown format. {FORMATS}"]}),
        ("free", "fax", {"format": [f"Unknown format. {FORMATS}"]}),
        ("couples", "chat", {"format": ["This session is not offered in that format."]}),
        ("couples-chat", None, {"sessionType": ["This session is not offered in that format."]}),
    ],
)
def test_find_offer_names_the_field_that_it_does_not_know(
    session_type: str, session_format: str | None, fields: dict[str, list[str]]
) -> None:
    with pytest.raises(UnknownSession) as refused:
        find_offer(session_type=session_type, session_format=session_format)

    assert (refused.value.code, refused.value.status, refused.value.fields) == ("unknown_session", 400, fields)


@pytest.mark.parametrize("spelling", ["individual-video", "individual", "video"])
def test_find_offer_does_not_sell_what_is_switched_off(spelling: str) -> None:
    offers("individual").filter(format="video").update(is_active=False)

    with pytest.raises(UnknownSession) as refused:
        find_offer(session_type=spelling)

    assert list(refused.value.fields) == ["sessionType"]


@pytest.mark.parametrize("spelling", ["individual-video", "free"])
def test_find_offer_does_not_sell_for_a_therapist_who_is_away(spelling: str) -> None:
    Therapist.objects.update(is_active=False)

    with pytest.raises(UnknownSession):
        find_offer(session_type=spelling)


def test_find_offer_follows_the_default_that_staff_choose() -> None:
    offers("individual").update(is_default=False)
    offers("individual").filter(format="chat").update(is_default=True)

    assert find_offer(session_type="individual").code == "individual-chat"


def test_find_offer_brings_the_therapist_along(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert find_offer(session_type="family").therapist.name == "Dr. Asha"


@pytest.mark.parametrize(("currency", "amount", "gateway"), [("INR", 89900, "razorpay"), ("USD", 1100, "stripe")])
def test_price_of_is_the_catalogues(currency: str, amount: int, gateway: str) -> None:
    price = price_of(offer=find_offer(session_type="audio"), currency=currency)

    assert (price.amount_minor, price.currency, price.gateway) == (amount, currency, gateway)


def test_price_of_is_read_anew_every_time() -> None:
    offer = find_offer(session_type="audio")
    Price.objects.filter(offer=offer, currency="INR").update(amount_minor=95000)

    assert price_of(offer=offer, currency="INR").amount_minor == 95000


@pytest.mark.parametrize("currency", ["EUR", "inr", ""])
def test_price_of_refuses_a_currency_without_price(currency: str) -> None:
    with pytest.raises(NotSoldInCurrency) as refused:
        price_of(offer=find_offer(session_type="audio"), currency=currency)

    assert (refused.value.code, refused.value.fields) == (
        "unknown_currency",
        {"currency": [f"No price in {currency}."]},
    )


def test_price_of_a_free_call_is_nothing_to_pay_even_where_it_has_one() -> None:
    free = find_offer(session_type="free")
    make_price(free)

    with pytest.raises(NothingToPay) as refused:
        price_of(offer=free, currency="INR")

    assert (refused.value.code, refused.value.fields) == (
        "nothing_to_pay",
        {"sessionType": ["This session is free."]},
    )


def test_a_paid_session_that_lost_its_price_is_not_free() -> None:
    offer = find_offer(session_type="video")
    offer.prices.all().delete()

    with pytest.raises(NotSoldInCurrency):
        price_of(offer=offer, currency="INR")

    assert (offer.is_free, "individual-video" in [offer.code for offer in active_offers()]) == (False, False)


def test_active_offers_are_those_on_sale_in_the_pages_order() -> None:
    offers("couples").update(is_active=False)
    offers("free").update(position=1)
    away = make_therapist(slug="away", name="Dr. Away", is_active=False)
    offers("family").update(therapist=away)

    assert [offer.code for offer in active_offers()] == [
        "individual-chat",
        "free",
        "individual-audio",
        "individual-video",
    ]


def test_active_offers_show_rupees_first_whatever_was_edited_last() -> None:
    offer = find_offer(session_type="video")
    for currency in ("USD", "INR"):
        price_of(offer=offer, currency=currency).save()

    shown = {offer.code: [price.currency for price in offer.prices.all()] for offer in active_offers()}

    assert shown["individual-video"] == ["INR", "USD"]


@pytest.mark.parametrize(
    ("own", "configured", "event_type"),
    [
        ("9", {"individual-video": "2", "individual": "3"}, "9"),
        ("", {"individual-video": "2", "individual": "3"}, "2"),
        ("", {"individual-video": 2}, "2"),
        ("", {"individual-audio": "2", "individual": "3"}, "3"),
        ("", {"couples": "4"}, ""),
        ("", {}, ""),
    ],
)
def test_event_type_of_is_the_offers_own_then_by_code_then_by_type(
    own: str, configured: dict[str, Any], event_type: str, settings: Settings
) -> None:
    settings.CALCOM_EVENT_TYPE_IDS = configured
    offer = find_offer(session_type="individual-video")
    offer.calendar_event_type = own

    assert event_type_of(offer) == event_type


def test_event_types_of_a_therapist_are_all_of_theirs_and_nobody_elses(settings: Settings) -> None:
    settings.CALCOM_EVENT_TYPE_IDS = {"individual": "1", "couples-video": "2", "family": "3"}
    offers("family").update(therapist=make_therapist(slug="other", name="Dr. Other"))
    offers("couples").update(is_active=False)  # its bookings still fill the calendar

    assert event_types_of(make_therapist().id) == ["1", "2"]


def test_default_offers_of_other_types_stay_out_of_the_way() -> None:
    offers("individual").delete()
    make_offer(format="audio", is_default=False)

    with pytest.raises(UnknownSession):
        find_offer(session_type="individual")


@pytest.mark.parametrize(
    ("notice", "percent"),
    [
        (timedelta(days=30), 100),
        (timedelta(hours=48), 100),
        (timedelta(hours=48, seconds=-1), 40),
        (timedelta(hours=12), 40),
        (timedelta(hours=12, microseconds=-1), 5),
        (timedelta(microseconds=1), 5),
        (timedelta(0), 0),
        (timedelta(hours=-1), 0),
    ],
)
def test_refund_percent_is_that_of_the_longest_notice_reached(notice: timedelta, percent: int) -> None:
    CancellationRule.objects.all().delete()
    for hours, share in ((12, 40), (48, 100), (0, 5)):
        CancellationRule.objects.create(hours_before=hours, refund_percent=share)

    assert refund_percent(notice=notice) == percent


def test_refund_percent_is_nothing_where_no_rule_is_reached() -> None:
    CancellationRule.objects.all().delete()
    CancellationRule.objects.create(hours_before=24, refund_percent=100)

    assert [refund_percent(notice=timedelta(hours=hours)) for hours in (23, 24)] == [0, 100]
