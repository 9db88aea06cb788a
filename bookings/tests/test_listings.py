"""How old a listing may be, who fetches the next one, and what is never shown."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.calendars.base import CalendarBusy
from bookings.listings import Listing, distrust_listings, listing_of, refill_listings
from bookings.practice_time import local
from bookings.shared_memory import shared_memory
from bookings.tests.builders import next_slot
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

LIST = "calcom.slots.list"
REDIS_TIMEOUT = 0.5  # as CACHES says
DAY = local(next_slot()).date()
OTHER_DAY = local(next_slot(days=4)).date()


@dataclass
class Looker:
    """Somebody who looks at an event type's times, by a clock of their own."""

    sandbox: SandboxProcess
    now: datetime

    def look(self, *, after: int = 0, event_type: str = "103", day: object = DAY) -> Listing:
        """Look so many seconds after the beginning."""
        days = (day,) if day else ()
        return listing_of(event_type=event_type, now=self.at(after), days=days)  # type: ignore[arg-type]

    def at(self, after: int) -> datetime:
        """So many seconds after the beginning."""
        return self.now + timedelta(seconds=after)

    def calls(self) -> int:
        """Count the upstream calls, those still on their way included."""
        deadline = time.monotonic() + 5
        while shared_memory().recall(["listing:103:flight"]) and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.sandbox.calls(LIST)

    def fail(self, kind: str = "bare_500", **parameters: object) -> None:
        """Let Cal.com fail from now on."""
        self.sandbox.fault("calcom", kind, "slots.*", times=None, **parameters)


@pytest.fixture
def looker(sandbox: SandboxProcess, now: datetime) -> Looker:
    return Looker(sandbox, now)


def test_fresh_listing_asks_nobody(looker: Looker) -> None:
    first, second = looker.look(), looker.look(after=59)

    assert (first.starts == second.starts, second.is_stale, looker.calls()) == (True, False, 1)


def test_usable_listing_is_shown_at_once_and_fetched_behind(looker: Looker) -> None:
    """The calendar takes two seconds: nobody waits for it, and the next one has the new listing."""
    old = looker.look()
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=0.5)
    begun = time.monotonic()

    shown = looker.look(after=61)
    took = time.monotonic() - begun

    assert (shown.fetched_at, shown.is_stale, took < 0.5) == (old.fetched_at, False, True)
    assert looker.calls() == 2
    assert looker.look(after=62).fetched_at >= looker.at(61)


def test_usable_listing_is_fetched_once_for_many_who_look(looker: Looker) -> None:
    looker.look()
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=0.3)

    for _ in range(20):
        looker.look(after=61)

    assert looker.calls() == 2


def test_old_listing_is_waited_for(looker: Looker) -> None:
    looker.look()

    shown = looker.look(after=301)

    assert (shown.fetched_at >= looker.at(301), shown.is_stale, looker.calls()) == (True, False, 2)


def test_old_listing_is_shown_as_stale_when_the_calendar_takes_too_long(
    looker: Looker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookings.listings.SHORT_PATIENCE", 0.2)
    old = looker.look()
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=1)

    shown = looker.look(after=301)

    assert (shown.starts, shown.is_stale) == (old.starts, True)
    assert looker.calls() == 2
    assert looker.look(after=303).is_stale is False


@pytest.mark.parametrize("kind", ["bare_500", "html_502", "drop", "rate_limited"])
def test_old_listing_is_shown_as_stale_when_the_calendar_fails(kind: str, looker: Looker) -> None:
    old = looker.look()
    looker.fail(kind)

    shown = looker.look(after=3500)

    assert (shown.starts, shown.is_stale) == (old.starts, True)


def test_usable_listing_is_marked_stale_once_the_calendar_is_known_to_fail(looker: Looker) -> None:
    looker.look()
    looker.fail()

    shown = [looker.look(after=61).is_stale, looker.calls(), looker.look(after=61).is_stale]

    assert shown == [False, 2, True]


def test_silent_calendar_is_left_alone_for_a_while(looker: Looker) -> None:
    looker.look()
    looker.fail()

    for second in range(301, 306):
        looker.look(after=second)

    assert looker.calls() == 2


def test_listing_is_forgotten_after_an_hour(looker: Looker) -> None:
    looker.look()
    looker.fail()

    with pytest.raises(ProviderError) as error:
        looker.look(after=3601)

    assert error.value.retry_after is not None
    assert timedelta(0) < error.value.retry_after <= timedelta(seconds=10)


def test_listing_that_never_was_is_not_invented(looker: Looker) -> None:
    looker.fail()

    for _ in range(3):
        with pytest.raises(ProviderError):
            looker.look()

    assert looker.calls() == 1


def test_listing_says_to_come_back_when_the_calendar_will_answer_again(looker: Looker) -> None:
    looker.fail("rate_limited")

    with pytest.raises(ProviderError) as error:
        looker.look()

    assert error.value.retry_after is not None
    assert timedelta(seconds=50) < error.value.retry_after <= timedelta(seconds=60)


def test_listing_without_event_type_is_refused_for_good(looker: Looker) -> None:
    with pytest.raises(ProviderError) as error:
        looker.look(event_type="")

    assert (error.value.permanent, looker.calls()) == (True, 0)


def test_cold_miss_by_fifty_at_once_makes_one_call(looker: Looker) -> None:
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=0.5)

    with ThreadPoolExecutor(50) as crowd:
        counts = set(crowd.map(lambda _: len(looker.look().starts), range(50)))

    assert (len(counts), counts > {0}, looker.calls()) == (1, False, 1)


def test_cold_miss_by_fifty_at_once_makes_one_call_also_when_it_fails(looker: Looker) -> None:
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=0.5)
    looker.fail()

    def look(_: int) -> str:
        try:
            return str(looker.look())
        except ProviderError as error:
            return str(error)

    with ThreadPoolExecutor(50) as crowd:
        answers = set(crowd.map(look, range(50)))

    assert (answers, looker.calls()) == ({"cal.com does not answer"}, 1)


def test_touched_day_is_asked_for_anew(looker: Looker) -> None:
    looker.look()
    distrust_listings("103", now=looker.at(1), days=(DAY,))

    shown, again = looker.look(after=2), looker.look(after=3)

    assert (shown.is_stale, shown.fetched_at >= looker.at(2)) == (False, True)
    assert (again.fetched_at, looker.calls()) == (shown.fetched_at, 2)


@pytest.mark.parametrize(("touched", "calls"), [((DAY,), 1), ((DAY, OTHER_DAY), 2), ((), 2)])
def test_touched_day_leaves_the_others_as_they_are(touched: tuple[object, ...], calls: int, looker: Looker) -> None:
    """Without days the whole listing is touched."""
    looker.look()
    distrust_listings("103", now=looker.at(1), days=touched)  # type: ignore[arg-type]

    looker.look(after=2, day=OTHER_DAY)

    assert looker.calls() == calls


def test_touched_day_of_another_event_type_is_no_concern(looker: Looker) -> None:
    looker.look()
    distrust_listings("101", "", now=looker.at(1), days=(DAY,))

    looker.look(after=2)

    assert looker.calls() == 1


def test_touched_day_is_shown_as_stale_when_the_calendar_fails(looker: Looker) -> None:
    old = looker.look()
    distrust_listings("103", now=looker.at(1), days=(DAY,))
    looker.fail()

    assert looker.look(after=2) == Listing(old.fetched_at, old.starts, is_stale=True)


def test_touch_during_a_fetch_is_not_lost(looker: Looker) -> None:
    """What the calendar said left it before the change: it is asked once more."""
    looker.sandbox.fault("calcom", "delay", "slots.*", seconds=0.5)

    with ThreadPoolExecutor(2) as crowd:
        first = crowd.submit(looker.look)
        time.sleep(0.2)
        distrust_listings("103", now=looker.at(1), days=(DAY,))
        assert first.result().is_stale is False
    shown = looker.look(after=2)

    assert (shown.fetched_at >= looker.at(1), looker.calls()) == (True, 2)


def test_touch_by_a_clock_that_is_ahead_asks_once_and_not_in_a_circle(looker: Looker) -> None:
    looker.look()
    distrust_listings("103", now=looker.at(30), days=(DAY,))

    assert (looker.look(after=1).is_stale, looker.calls()) == (False, 2)


def test_refill_fetches_what_people_look_at_before_it_is_old(looker: Looker) -> None:
    looker.look()

    refilled = [refill_listings("103", "101", now=looker.at(after)) for after in (40, 46)]

    assert (refilled, looker.look(after=100).fetched_at >= looker.at(46), looker.calls()) == ([0, 1], True, 2)


def test_refill_leaves_what_nobody_looks_at(looker: Looker) -> None:
    assert (refill_listings("103", now=looker.now), looker.calls()) == (0, 0)


def test_refill_fetches_what_was_touched(looker: Looker) -> None:
    looker.look()
    distrust_listings("103", now=looker.at(1), days=(OTHER_DAY,))

    assert (refill_listings("103", now=looker.at(2)), looker.calls()) == (1, 2)
    assert (refill_listings("103", now=looker.at(3)), looker.calls()) == (0, 2)


def test_refill_stops_at_the_first_failure(looker: Looker) -> None:
    for event_type in ("101", "102", "103"):
        looker.look(event_type=event_type)
    looker.fail()

    assert (refill_listings("101", "102", "103", now=looker.at(59)), looker.calls()) == (0, 4)


def test_refill_that_has_used_up_its_share_silences_nobody(looker: Looker, settings: Settings) -> None:
    settings.CALCOM_CALLS_PER_MINUTE = 2
    looker.look()

    assert refill_listings("103", now=looker.at(59)) == 0
    assert looker.look(after=59).is_stale is False


def test_listings_share_no_more_calls_than_they_may(looker: Looker, settings: Settings) -> None:
    """Three of four calls a minute are for looking; then what is known has to do, and what is not known waits."""
    settings.CALCOM_CALLS_PER_MINUTE = 4
    for after in (0, 301, 602):
        looker.look(after=after)

    assert (looker.look(after=903).is_stale, looker.calls()) == (True, 3)
    with pytest.raises(ProviderError) as error:
        looker.look(after=903, event_type="101")
    assert not isinstance(error.value, CalendarBusy)


@pytest.mark.parametrize("is_hung", [False, True])
def test_listing_without_redis_is_remembered_by_this_process(is_hung: bool, looker: Looker, settings: Settings) -> None:
    """A Redis that hangs costs its timeout once, and not at every look."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1] if is_hung else 1
        dead = dict(settings.CACHES["default"], LOCATION=f"redis://127.0.0.1:{port}/0")
        settings.CACHES = {"default": dead}

        first = looker.look()
        begun = time.monotonic()
        last = [looker.look() for _ in range(20)][-1]
        took = time.monotonic() - begun

    assert (first.starts == last.starts, looker.calls(), took < 10 * REDIS_TIMEOUT) == (True, 1, True)
