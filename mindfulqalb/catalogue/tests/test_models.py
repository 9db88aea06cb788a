"""What the database itself refuses, whoever asks."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import ProtectedError

from mindfulqalb.catalogue.models import CancellationRule, Price, SessionOffer, Therapist
from mindfulqalb.catalogue.tests.builders import make_offer, make_price, make_therapist

pytestmark = pytest.mark.django_db


def constraint_of(error: BaseException) -> str | None:
    """Name the constraint that said no."""
    name: str | None = error.__cause__.diag.constraint_name  # type: ignore[union-attr]
    return name


@pytest.mark.parametrize(
    ("second", "constraint"),
    [
        ({"is_default": False}, "offer_type_format"),
        ({"format": "audio"}, "offer_one_default"),
        ({"format": "audio", "is_default": False, "duration_minutes": 0}, "offer_duration_positive"),
    ],
)
def test_offer_is_refused_by(second: dict[str, Any], constraint: str) -> None:
    make_offer()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make_offer(**second)

    assert (constraint_of(refused.value), SessionOffer.objects.count()) == (constraint, 1)


def test_offers_of_one_type_share_it_in_several_formats_with_one_default() -> None:
    for session_format, is_default in (("video", True), ("audio", False), ("chat", False)):
        make_offer(format=session_format, is_default=is_default)
    make_offer(session_type="couples")

    assert SessionOffer.objects.count() == 4


@pytest.mark.parametrize(
    ("currency", "amount_minor", "constraint"),
    [
        ("INR", 49, "price_chargeable"),
        ("USD", 0, "price_chargeable"),
        ("INR", -100, "price_chargeable"),
        ("EUR", 100, "price_currency_taken"),
        ("inr", 100, "price_currency_taken"),
        ("INR", 129900, "price_offer_currency"),
    ],
)
def test_price_is_refused_by(currency: str, amount_minor: int, constraint: str) -> None:
    offer = make_offer()
    make_price(offer)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        make_price(offer, currency, amount_minor)

    named = constraint_of(refused.value)
    # PositiveIntegerField brings a check of its own, which may be first to say no to a negative amount.
    assert named in ({constraint, "prices_amount_minor_check"} if amount_minor < 0 else {constraint})
    assert list(Price.objects.values_list("currency", "amount_minor")) == [("INR", 129900)]


def test_price_takes_the_least_that_gateways_charge() -> None:
    assert make_price(make_offer(), amount_minor=50).amount_minor == 50


def test_price_beyond_the_column_is_refused() -> None:
    offer = make_offer()

    with pytest.raises(DataError), transaction.atomic():
        make_price(offer, amount_minor=2**31)


def test_therapists_have_different_slugs() -> None:
    make_therapist()

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Therapist.objects.create(slug="practice", name="Another")

    assert constraint_of(refused.value) == "therapists_slug_key"


@pytest.mark.parametrize(
    ("hours", "percent", "constraint"),
    [
        (24, 50, "cancellation_rules_hours_before_key"),
        (48, 101, "cancellation_percent"),
        (-1, 50, "cancellation_rules_hours_before_check"),
    ],
)
def test_cancellation_rule_is_refused_by(hours: int, percent: int, constraint: str) -> None:
    CancellationRule.objects.create(hours_before=24, refund_percent=100)

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        CancellationRule.objects.create(hours_before=hours, refund_percent=percent)

    assert constraint_of(refused.value) == constraint


def test_therapist_who_sells_something_cannot_be_deleted() -> None:
    offer = make_offer()

    with pytest.raises(ProtectedError):
        offer.therapist.delete()


def test_prices_go_with_their_offer() -> None:
    offer = make_offer()
    make_price(offer)

    offer.delete()

    assert Price.objects.count() == 0


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"session_type": "astrology"}, "session_type"),
        ({"format": "fax"}, "format"),
        ({"title": ""}, "title"),
        ({"duration_minutes": -1}, "duration_minutes"),
        ({"duration_minutes": 40000}, "duration_minutes"),
    ],
)
def test_offer_is_cleaned_field_by_field(overrides: dict[str, Any], field: str) -> None:
    values: dict[str, Any] = {
        "session_type": "individual",
        "format": "video",
        "title": "Individual session",
        "duration_minutes": 60,
        "therapist": make_therapist(),
    }

    with pytest.raises(ValidationError) as refused:
        SessionOffer(**values | overrides).full_clean()

    assert list(refused.value.message_dict) == [field]


@pytest.mark.parametrize(
    ("session_type", "session_format", "code", "is_free"),
    [("individual", "chat", "individual-chat", False), ("free", "video", "free", True)],
)
def test_offer_is_named_by_type_and_format(session_type: str, session_format: str, code: str, is_free: bool) -> None:
    offer = make_offer(session_type=session_type, format=session_format)

    assert (offer.code, str(offer), offer.is_free) == (code, code, is_free)


def test_names_of_the_rows() -> None:
    rule = CancellationRule(hours_before=24, refund_percent=100)

    named = [str(row) for row in (make_therapist(), make_price(make_offer()), rule)]

    assert named == ["Dr. Asha", "INR 129900", "24 hours before: 100 %"]


def test_event_type_belongs_to_one_therapist() -> None:
    make_offer(calendar_event_type="9001")
    make_offer(format="chat", is_default=False, calendar_event_type="9001")
    ravi = make_therapist(slug="ravi", name="Dr. Ravi")

    with pytest.raises(IntegrityError) as error, transaction.atomic():
        make_offer(format="audio", is_default=False, calendar_event_type="9001", therapist=ravi)

    assert constraint_of(error.value) == "offer_event_type_of_one_therapist"


def test_event_type_may_be_left_to_the_settings_by_every_therapist() -> None:
    make_offer()
    ravi = make_therapist(slug="ravi", name="Dr. Ravi")

    assert make_offer(format="audio", is_default=False, therapist=ravi).calendar_event_type == ""
