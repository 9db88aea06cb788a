"""The first catalogue: the price list to the letter, and never a second time."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from mindfulqalb.catalogue.models import CancellationRule, Price, SessionOffer, Therapist
from mindfulqalb.catalogue.services import load_default_catalogue
from mindfulqalb.catalogue.tests.builders import make_offer

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

PRICE_LIST = [
    ("individual-chat", "Individual session", 30, {"INR": 49900, "USD": 600}, False),
    ("individual-audio", "Individual session", 45, {"INR": 89900, "USD": 1100}, False),
    ("individual-video", "Individual session", 60, {"INR": 129900, "USD": 1600}, True),
    ("couples-audio", "Couples session", 60, {"INR": 149900, "USD": 1800}, False),
    ("couples-video", "Couples session", 90, {"INR": 199900, "USD": 2400}, True),
    ("family-audio", "Family session", 60, {"INR": 169900, "USD": 2100}, False),
    ("family-video", "Family session", 90, {"INR": 249900, "USD": 3000}, True),
    ("free", "Free first call", 15, {}, True),
]


def price_list() -> list[tuple[str, str, int, dict[str, int], bool]]:
    return [
        (
            offer.code,
            offer.title,
            offer.duration_minutes,
            {price.currency: price.amount_minor for price in offer.prices.all()},
            offer.is_default,
        )
        for offer in SessionOffer.objects.order_by("position")
    ]


def test_default_catalogue_is_the_price_list() -> None:
    created = load_default_catalogue(therapist_name="Dr. Asha")

    assert (created, price_list()) == (8, PRICE_LIST)


def test_default_catalogue_is_sold_by_the_named_therapist() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")

    sold = SessionOffer.objects.values_list("therapist__name", "therapist__slug", "is_active", "calendar_event_type")
    assert set(sold) == {("Dr. Asha", "practice", True, "")}


def test_default_catalogue_loaded_again_changes_nothing() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    before = set(Price.objects.values_list("id", flat=True)) | set(SessionOffer.objects.values_list("id", flat=True))

    created = load_default_catalogue(therapist_name="Somebody else")

    after = set(Price.objects.values_list("id", flat=True)) | set(SessionOffer.objects.values_list("id", flat=True))
    assert (created, after == before, Therapist.objects.get().name) == (0, True, "Dr. Asha")


def test_default_catalogue_leaves_what_staff_have_changed() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    SessionOffer.objects.filter(session_type="couples", format="audio").update(
        title="Couples by phone", duration_minutes=50, is_active=False, position=99, calendar_event_type="777"
    )
    Price.objects.filter(offer__session_type="individual", offer__format="chat", currency="INR").update(
        amount_minor=100000
    )
    Price.objects.filter(offer__session_type="individual", offer__format="audio", currency="USD").delete()

    created = load_default_catalogue(therapist_name="Dr. Asha")

    edited = SessionOffer.objects.get(session_type="couples", format="audio")
    assert (edited.title, edited.duration_minutes, edited.is_active, edited.position, edited.calendar_event_type) == (
        "Couples by phone",
        50,
        False,
        99,
        "777",
    )
    prices = Price.objects.filter(offer__session_type="individual", offer__format__in=["chat", "audio"])
    assert (created, set(prices.values_list("offer__format", "currency", "amount_minor"))) == (
        0,
        {("chat", "INR", 100000), ("chat", "USD", 600), ("audio", "INR", 89900)},
    )


def test_default_catalogue_brings_the_cancellation_rules_and_leaves_those_of_staff() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    first = set(CancellationRule.objects.values_list("hours_before", "refund_percent"))
    CancellationRule.objects.filter(hours_before=24).delete()
    CancellationRule.objects.update(refund_percent=10)

    load_default_catalogue(therapist_name="Dr. Asha")

    assert first == {(24, 100), (0, 50)}
    assert list(CancellationRule.objects.values_list("hours_before", "refund_percent")) == [(0, 10)]


def test_default_catalogue_restores_what_is_missing_with_its_prices() -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    SessionOffer.objects.get(session_type="family", format="audio").delete()

    created = load_default_catalogue(therapist_name="Dr. Asha")

    assert (created, price_list()) == (1, PRICE_LIST)


def test_default_catalogue_leaves_the_default_that_staff_have_chosen() -> None:
    make_offer(session_type="free", format="video", title="Free first call", duration_minutes=20)

    load_default_catalogue(therapist_name="Dr. Asha")

    defaults = SessionOffer.objects.filter(session_type="free").values_list("format", "is_default")
    assert dict(defaults) == {"video": True, "audio": False}


def test_default_catalogue_that_cannot_be_loaded_leaves_nothing_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mindfulqalb.catalogue.services.TITLES", {"individual": "Individual session"})

    with pytest.raises(KeyError):
        load_default_catalogue(therapist_name="Dr. Asha")

    assert [model.objects.count() for model in (SessionOffer, Therapist, CancellationRule)] == [0, 0, 0]


def test_load_catalogue_command_names_the_practice_and_says_how_many(settings: Settings) -> None:
    settings.PRACTICE_NAME = "Calm Rooms"
    out = StringIO()

    for _ in range(2):
        call_command("load_catalogue", stdout=out)

    assert out.getvalue().splitlines() == ["Catalogue: 8 offers created.", "Catalogue: 0 offers created."]
    assert Therapist.objects.get().name == "Calm Rooms"
