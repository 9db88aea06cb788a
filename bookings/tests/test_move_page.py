from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.placement import place_in_calendar
from bookings.services.rescheduling import request_move
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_upcoming, make_wish, next_slot
from bookings.tests.looking import all_rows, path_of, text_of
from mindfulqalb.catalogue.models import CancellationRule, SessionOffer

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NEW = next_slot(15, days=5)
DAY = local(NEW).date().isoformat()


@pytest.fixture
def booked(transactional_db: None, sandbox: SandboxProcess, now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _choices(response: Any) -> list[str]:
    return re.findall(r'type="radio" name="start" value="([^"]+)"', response.content.decode())


def test_manage_page_leads_to_the_choice(booked: Booking, browser: Client) -> None:
    page = text_of(browser.get(path_of(booked)))

    assert ("/move" in page, "You can move it 2 times more, until" in page) == (True, True)


def test_move_page_lists_the_free_times_of_a_day(booked: Booking, browser: Client) -> None:
    response = browser.get(path_of(booked) + f"/move?day={DAY}")

    choices = _choices(response)
    assert (NEW.astimezone(local(NEW).tzinfo).isoformat() in choices, {choice[:10] for choice in choices}) == (
        True,
        {DAY},
    )
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("day", ["", "nonsense", "1999-01-01"])
def test_move_page_begins_with_the_first_free_day(day: str, booked: Booking, browser: Client) -> None:
    response = browser.get(path_of(booked) + f"/move?day={day}")

    page = text_of(response)
    assert (response.status_code, len(_choices(response)) > 0, page.count("aria-current")) == (200, True, 1)
    assert ("Later days" in page, "Earlier days" in page) == (True, False)


def test_move_page_changes_nothing_by_being_looked_at(booked: Booking, browser: Client) -> None:
    before = all_rows()

    for method in (browser.get, browser.head):
        method(path_of(booked) + f"/move?day={DAY}&start={NEW.isoformat()}")

    assert all_rows() == before


def test_move_page_moves_by_its_button(booked: Booking, browser: Client) -> None:
    path = path_of(booked)

    pressed = browser.post(f"{path}/move", {"start": local(NEW).isoformat()})

    assert (pressed.status_code, pressed.headers["Location"], Booking.objects.get().starts_at) == (303, path, NEW)


@pytest.mark.parametrize(
    "start", ["", "soon", "2026-12-04T10:00:00", "2026-13-40T10:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_move_page_asks_for_a_time_that_can_be_read(start: str, booked: Booking, browser: Client) -> None:
    response = browser.post(path_of(booked) + "/move", {"start": start})

    assert (response.status_code, "Please choose a time." in text_of(response)) == (400, True)


def test_move_page_says_that_the_time_was_taken_and_offers_others(
    booked: Booking, browser: Client, sandbox: SandboxProcess
) -> None:
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule")

    response = browser.post(path_of(booked) + f"/move?day={DAY}", {"start": local(NEW).isoformat()})

    page = text_of(response)
    assert (response.status_code, 'role="alert"' in page, len(_choices(response)) > 0) == (409, True, True)
    assert "Your appointment stays where it is" in page


def test_move_page_without_a_calendar_says_so_and_helps(
    booked: Booking, browser: Client, sandbox: SandboxProcess
) -> None:
    sandbox.fault("calcom", "bare_500", "slots.list", times=None)

    response = browser.get(path_of(booked) + "/move")

    assert (response.status_code, "We cannot reach the calendar" in text_of(response)) == (503, True)


def test_manage_page_tells_of_a_move_under_way(booked: Booking, browser: Client, now: datetime) -> None:
    request_move(booking_id=booked.id, starts_at=NEW, now=now)

    path = path_of(booked)
    page = text_of(browser.get(path))
    there = browser.get(f"{path}/move")

    assert ("It is being moved to" in page, "Choose another time" in page) == (True, False)
    assert (there.status_code, there.headers["Location"]) == (303, path)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [BookingState.CANCELLED, BookingState.PENDING, BookingState.COMPLETED])
def test_move_page_of_what_cannot_be_moved_leads_back(state: BookingState, browser: Client) -> None:
    path = path_of(make_upcoming(state))

    response = browser.get(f"{path}/move")

    assert (response.status_code, response.headers["Location"]) == (303, path)


@pytest.mark.django_db
def test_move_page_of_a_dead_link_helps(browser: Client, now: datetime) -> None:
    booking = make_upcoming()
    expired = path_of(booking, now=now)
    booking.link_version += 1
    booking.save()

    answers = [browser.get(expired + "/move"), browser.post(expired + "/move"), browser.get("/manage/forged/move")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert "This link does not work any more" in text_of(answers[1])


def test_move_page_asks_the_same_for_any_number_of_times(
    booked: Booking, browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    path = path_of(booked)
    browser.get(f"{path}/move")

    for hour in (12, 14):
        make_upcoming(BookingState.PENDING, hour=hour)
        with django_assert_num_queries(4):
            browser.get(f"{path}/move")


@pytest.mark.parametrize(("hours", "warned"), [(24, [False, False]), (24 * 30, [True, True])])
def test_move_page_warns_of_times_that_are_near(
    hours: int, warned: list[bool], booked: Booking, browser: Client
) -> None:
    CancellationRule.objects.filter(refund_percent=100).update(hours_before=hours)
    path = f"{path_of(booked)}/move?day={DAY}"
    page = text_of(browser.get(path))

    assert [s in page for s in ("The times below are near.", "half of the price comes back")] == warned


def test_move_page_warns_of_times_that_leave_no_other_move(booked: Booking, browser: Client) -> None:
    last = local(next_slot(days=1)).date().isoformat()
    SessionOffer.objects.update(move_notice_hours=50)
    near, far = (text_of(browser.get(f"{path_of(booked)}/move?day={day}")) for day in (last, DAY))

    assert ["You could not move it again." in page for page in (near, far)] == [True, False]
