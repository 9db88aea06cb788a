from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from bookings.links import manage_url
from bookings.serializers import (
    AvailabilityRequestSerializer,
    BookingRequestSerializer,
    BookingStatusSerializer,
    HoldRequestSerializer,
    booking_answer,
    booking_status,
)
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment, make_wish
from mindfulqalb.api.public_ids import BOOKING

SMALLEST = {
    "sessionType": "individual",
    "date": "2026-12-04",
    "time": "10:00 AM",
    "customer": {"name": "Jane Doe", "email": "jane@example.com"},
}


def test_booking_request_needs_no_more_than_the_specification_says() -> None:
    asked = BookingRequestSerializer(data=SMALLEST)

    assert asked.is_valid(), asked.errors
    assert {name: asked.validated_data[name] for name in ("format", "consentAccepted", "consentId", "paymentId")} == {
        "format": None,
        "consentAccepted": False,
        "consentId": None,
        "paymentId": None,
    }
    assert asked.validated_data["customer"]["phone"] is None


@pytest.mark.parametrize("serializer", [BookingRequestSerializer, HoldRequestSerializer])
def test_requests_take_nulls_for_what_may_be_left_out(serializer: type[BookingRequestSerializer]) -> None:
    nulls = {"format": None, "consentId": None, "customer": SMALLEST["customer"] | {"phone": None}}  # type: ignore[operator]

    assert serializer(data=SMALLEST | nulls).is_valid()


@pytest.mark.parametrize("phone", ["", "  ", None])
def test_requests_read_an_empty_phone_as_none(phone: str | None) -> None:
    asked = BookingRequestSerializer(
        data=SMALLEST | {"customer": {"name": "J", "email": "j@example.com", "phone": phone}}
    )

    assert (asked.is_valid(), asked.validated_data["customer"]["phone"]) == (True, None)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"payWith": "paypal"}, ["payWith"]),
        ({"successUrl": "javascript:alert(1)"}, ["successUrl"]),
        ({"cancelUrl": "x"}, ["cancelUrl"]),
        ({"locale": "x" * 11}, ["locale"]),
        ({"locale": ""}, ["locale"]),
        ({"time": "10:60 AM"}, ["time"]),
        ({"time": "13:00 PM"}, ["time"]),
        ({"date": "2026-1-4"}, ["date"]),
        ({"sessionType": True}, ["sessionType"]),
    ],
)
def test_hold_request_names_the_field_that_is_wrong(change: dict[str, Any], fields: list[str]) -> None:
    asked = HoldRequestSerializer(data=SMALLEST | change)

    assert (asked.is_valid(), list(asked.errors)) == (False, fields)


def test_availability_request_ignores_what_it_does_not_know() -> None:
    asked = AvailabilityRequestSerializer(data={"date": "2026-12-04", "sessionType": "free", "price": 1})

    assert (asked.is_valid(), "price" in asked.validated_data) == (True, False)


@pytest.mark.django_db
def test_booking_answer_of_a_confirmed_booking_links_to_the_calendar() -> None:
    booking = make_booking(state=BookingState.CONFIRMED, calcom_booking_id="uid1")

    assert booking_answer(booking, now=NOW) == {
        "success": True,
        "bookingId": BOOKING.encode(booking.id),
        "confirmationUrl": f"{settings.CALCOM_WEB_URL}/booking/uid1",
        "status": "confirmed",
        "manageUrl": manage_url(booking, now=NOW),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("state", [state for state in BookingState if state != BookingState.CONFIRMED])
def test_booking_answer_spells_every_state_and_links_to_no_calendar_without_an_entry(state: BookingState) -> None:
    answer = booking_answer(make_booking(state=state), now=NOW)

    assert (answer["status"], answer["confirmationUrl"]) == (state.value.lower(), None)


@pytest.mark.django_db
def test_booking_status_says_when_and_names_no_person() -> None:
    booking = make_booking(wish=make_wish(session_type="couples"), payment=make_payment(item="couples-video"))

    nothing: dict[str, Any] = dict.fromkeys(("quote", "credit", "terms", "moving_to"))
    status = booking_status(booking, **nothing, receipts=[], time_zone="Asia/Kolkata", now=NOW)

    assert sorted(status) == sorted(BookingStatusSerializer().fields)
    assert {name: status[name] for name in ("sessionType", "format", "date", "time", "timeZone")} == {
        "sessionType": "couples",
        "format": "video",
        "date": "2026-12-04",
        "time": "10:00 AM",
        "timeZone": "Asia/Kolkata",
    }
    assert (status["startsAt"], status["endsAt"]) == ("2026-12-04T10:00:00+05:30", "2026-12-04T11:30:00+05:30")
    assert (status["cancellation"], status["receipts"]) == (None, [])
    assert [word for word in ("Jane", "jane@", "98765", "pay_") if word in str(status)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("uid", ["../../evil", "a b", "x?y#z", "\u00e9"])
def test_booking_answer_keeps_a_strange_uid_inside_the_path(uid: str) -> None:
    answer = booking_answer(make_booking(state=BookingState.CONFIRMED, calcom_booking_id=uid), now=NOW)

    base, _, last = answer["confirmationUrl"].rpartition("/")
    assert (base, [character for character in last if character in " ?#"]) == (f"{settings.CALCOM_WEB_URL}/booking", [])
