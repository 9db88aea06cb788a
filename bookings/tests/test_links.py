from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings

from bookings.links import booking_of_token, calendar_file_url, manage_url, token_of
from bookings.models import Booking
from bookings.tests.builders import NOW, make_booking, make_payment
from mindfulqalb.api.tokens import InvalidToken, key_id

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db


def _forged(booking: Booking, *, secret: str, algorithm: str = "HS256", **claims: Any) -> str:
    """A token such as ours, but for what a test changes."""
    payload = {
        "iss": "mindfulqalb",
        "aud": "booking",
        "sub": str(booking.id),
        "ver": booking.link_version,
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(days=1)).timestamp()),
    }
    return jwt.encode(payload | claims, secret, algorithm=algorithm, headers={"kid": key_id(settings.JWT_SECRET)})


def test_token_of_opens_its_booking() -> None:
    booking = make_booking()

    assert booking_of_token(token_of(booking, now=NOW), now=NOW) == booking


def test_token_of_holds_ids_and_no_person() -> None:
    booking = make_booking()

    claims = jwt.decode(token_of(booking, now=NOW), options={"verify_signature": False})

    assert claims == {
        "iss": "mindfulqalb",
        "aud": "booking",
        "sub": str(booking.id),
        "ver": 1,
        "iat": int(NOW.timestamp()),
        "exp": int((booking.ends_at + timedelta(days=30)).timestamp()),
    }


def test_booking_of_token_opens_until_thirty_days_after_the_session() -> None:
    booking = make_booking()
    token, end = token_of(booking, now=NOW), booking.ends_at + timedelta(days=30)

    assert booking_of_token(token, now=end - timedelta(seconds=1)) == booking
    with pytest.raises(InvalidToken):
        booking_of_token(token, now=end)


def test_booking_of_token_refuses_a_revoked_link_and_takes_the_new_one() -> None:
    booking = make_booking()
    old = token_of(booking, now=NOW)
    Booking.objects.update(link_version=2)
    booking.refresh_from_db()

    with pytest.raises(InvalidToken):
        booking_of_token(old, now=NOW)
    assert booking_of_token(token_of(booking, now=NOW), now=NOW) == booking


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "staff"},
        {"aud": ["booking"]},
        {"iss": "somebody"},
        {"sub": "1 OR 1=1"},
        {"sub": str(uuid4())},
        {"ver": 2},
        {"ver": "1"},
        {"ver": True},
        {"exp": int((NOW - timedelta(seconds=1)).timestamp())},
        {"iat": int((NOW + timedelta(hours=1)).timestamp())},
    ],
)
def test_booking_of_token_refuses_other_claims(claims: dict[str, Any], settings: Settings) -> None:
    token = _forged(make_booking(), secret=settings.JWT_SECRET, **claims)

    with pytest.raises(InvalidToken):
        booking_of_token(token, now=NOW)


def test_booking_of_token_would_take_the_forgery_without_the_change(settings: Settings) -> None:
    booking = make_booking()

    assert booking_of_token(_forged(booking, secret=settings.JWT_SECRET), now=NOW) == booking


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "none"])
def test_booking_of_token_refuses_another_signature(algorithm: str) -> None:
    key = "" if algorithm == "none" else "x" * 48
    token = _forged(make_booking(), secret=key, algorithm=algorithm)

    with pytest.raises(InvalidToken):
        booking_of_token(token, now=NOW)


@pytest.mark.parametrize("token", ["", ".", "..", "x", "a.b.c", "\u0661.\u0662.\u0663", "e" * 5_000, "eyJ.\ud800.x"])
def test_booking_of_token_refuses_rubbish(token: str) -> None:
    with pytest.raises(InvalidToken):
        booking_of_token(token, now=NOW)


def test_booking_of_token_asks_the_database_once(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token = token_of(make_booking(payment=make_payment()), now=NOW)

    with django_assert_num_queries(1):
        booking = booking_of_token(token, now=NOW)
        assert (booking.offer.code, booking.payment is None) == ("individual-video", False)


def test_booking_of_token_asks_nothing_for_a_forgery(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token = _forged(make_booking(), secret="x" * 48)

    with django_assert_num_queries(0), pytest.raises(InvalidToken):
        booking_of_token(token, now=NOW)


def test_urls_stand_on_the_sites_own_origin(settings: Settings) -> None:
    settings.SITE_URL = "https://book.example.org"
    booking = make_booking()
    token = token_of(booking, now=NOW)

    assert manage_url(booking, now=NOW) == f"https://book.example.org/manage/{token}"
    assert calendar_file_url(booking, now=NOW) == f"https://book.example.org/manage/{token}/session.ics"
