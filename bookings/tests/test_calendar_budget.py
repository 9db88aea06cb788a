"""One count of calls for every process; those that somebody waits for come first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from bookings.calendars import background_calendar, calendar
from bookings.calendars.base import CalendarBusy
from bookings.calendars.calcom.budget import EVERYTHING, FOR_LISTINGS, IN_BACKGROUND, CallBudget
from bookings.tests.builders import next_slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

    from bookings.calendars.base import Calendar
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def _granted(budget: CallBudget, asked: int, share: float = EVERYTHING) -> int:
    """Ask so often, and count how often it was granted."""
    return sum(_is_granted(budget, share) for _ in range(asked))


def _is_granted(budget: CallBudget, share: float) -> bool:
    try:
        budget.spend(share=share)
    except CalendarBusy:
        return False
    return True


def _list(asking: Calendar) -> None:
    asking.free_slots(event_type="103", start=next_slot(9), end=next_slot(10))


@pytest.fixture
def _dead_redis(settings: Settings) -> None:
    settings.CACHES = {"default": dict(settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")}


def test_budget_grants_its_limit_and_no_more() -> None:
    assert _granted(CallBudget(calls_per_minute=10), 15) == 10


def test_budget_is_one_for_all_processes() -> None:
    """Two clients know nothing of each other but what stands in Redis, as two processes do."""
    first, second = CallBudget(calls_per_minute=10), CallBudget(calls_per_minute=10)

    assert (_granted(first, 6), _granted(second, 6), _granted(first, 6)) == (6, 4, 0)


def test_budget_holds_when_many_ask_at_once() -> None:
    budgets = [CallBudget(calls_per_minute=20) for _ in range(10)]

    with ThreadPoolExecutor(10) as crowd:
        granted = sum(crowd.map(lambda budget: _granted(budget, 10), budgets))

    assert granted <= 20
    assert granted + _granted(budgets[0], 20) == 20


def test_budget_refuses_the_background_first_and_bookings_last() -> None:
    budget = CallBudget(calls_per_minute=20)

    granted = [_granted(budget, 20, share) for share in (IN_BACKGROUND, FOR_LISTINGS, EVERYTHING)]

    assert granted == [10, 5, 5]


def test_budget_says_when_to_come_back() -> None:
    budget = CallBudget(calls_per_minute=1)
    budget.spend()

    with pytest.raises(CalendarBusy) as busy:
        budget.spend()

    assert busy.value.retry_after is not None
    assert timedelta(0) < busy.value.retry_after <= timedelta(seconds=70)
    assert busy.value.permanent is False


def test_budget_is_new_when_the_minute_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    budget, moment = CallBudget(calls_per_minute=3), 1_790_000_000.0
    monkeypatch.setattr("bookings.calendars.calcom.budget.time.time", lambda: moment)
    assert _granted(budget, 5) == 3

    moment += 59
    assert _granted(budget, 5) == 0
    moment += 11
    assert _granted(budget, 5) == 3


@pytest.mark.usefixtures("_dead_redis")
def test_budget_without_redis_is_the_process_own_share() -> None:
    assert _granted(CallBudget(calls_per_minute=40), 15) == 10


@pytest.mark.usefixtures("_dead_redis")
def test_budget_without_redis_grants_at_least_one_call() -> None:
    assert _granted(CallBudget(calls_per_minute=1), 2) == 1


def test_refused_call_is_not_made(sandbox: SandboxProcess, settings: Settings) -> None:
    settings.CALCOM_CALLS_PER_MINUTE = 3

    _list(calendar())
    with pytest.raises(CalendarBusy):
        _list(background_calendar())
    _list(calendar())
    with pytest.raises(CalendarBusy):
        _list(calendar())

    assert sandbox.calls("calcom.slots.list") == 2


def _list_changes(asking: Calendar) -> None:
    next(iter(asking.changed_since(next_slot(9))))


def _list_sessions(asking: Calendar) -> None:
    next(iter(asking.starting_between(next_slot(9), next_slot(10))))


def _move(asking: Calendar) -> None:
    asking.move("uid", starts_at=next_slot(11), reason="Put back", timeout=5)


def _note_absence(asking: Calendar) -> None:
    asking.note_absence("uid", email="jane@example.com", is_absent=True)


def _read(asking: Calendar) -> None:
    asking.appointment("uid")


@pytest.mark.parametrize("call", [_list, _list_changes, _list_sessions, _move, _note_absence, _read])
def test_background_never_touches_what_is_left_to_clients(
    call: Callable[[Calendar], None], sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.CALCOM_CALLS_PER_MINUTE = 4
    _read(calendar())
    _read(calendar())

    with pytest.raises(CalendarBusy):
        call(background_calendar())

    assert len(sandbox.control("GET", "calls")["log"]) == 2
    _read(calendar())


def test_429_stops_every_process_until_it_is_over(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "rate_limited", "slots.list")
    with pytest.raises(CalendarBusy) as refused:
        _list(calendar())

    with pytest.raises(CalendarBusy) as waiting:
        _list(background_calendar())

    assert refused.value.retry_after == timedelta(seconds=60)
    assert waiting.value.retry_after is not None
    assert timedelta(seconds=50) < waiting.value.retry_after <= timedelta(seconds=60)
    assert sandbox.calls("calcom.slots.list") == 1
    cache.clear()
    _list(calendar())


def test_real_limit_is_never_reached(sandbox: SandboxProcess, settings: Settings) -> None:
    """The sandbox refuses the 13th call as Cal.com would; looking for times stops at the 12th by itself."""
    sandbox.turn(calcomRateLimit=12)
    settings.CALCOM_CALLS_PER_MINUTE = 16
    for _ in range(12):
        _list(calendar())

    with pytest.raises(CalendarBusy):
        _list(calendar())

    assert [entry["status"] for entry in sandbox.call_log("calcom.slots.list")] == [200] * 12
