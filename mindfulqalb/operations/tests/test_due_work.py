"""Where no beat runs, a cron job forgets nothing that beat would have asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from celery.schedules import crontab
from django.core.management import CommandError, call_command

from mindfulqalb.celery import app
from mindfulqalb.operations.due_work import Done, run_due_work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
RUNS: list[str] = []


@app.task(name="tests.note")
def note(**kwargs: object) -> None:
    """Leave a trace."""
    RUNS.append("note")


@app.task(name="tests.fail")
def fail(**kwargs: object) -> None:
    """Go wrong."""
    raise LookupError("asha@example.com")


@pytest.fixture
def schedule() -> Iterator[dict[str, dict[str, object]]]:
    """A beat schedule of our own for one test."""
    kept = app.conf.beat_schedule
    RUNS.clear()
    app.conf.beat_schedule = {}
    yield app.conf.beat_schedule
    app.conf.beat_schedule = kept


def _run(now: datetime) -> list[str]:
    return [done.task for done in run_due_work(now=now)]


@pytest.mark.django_db
def test_first_run_does_all_that_beat_asks_for_and_delivers_last(sandbox: SandboxProcess) -> None:
    asked = [entry["task"] for entry in app.conf.beat_schedule.values()]

    done = list(run_due_work(now=datetime.now(UTC)))

    assert sorted(done, key=lambda run: run.task) == [Done(task, None) for task in sorted(asked)]
    assert done[-1].task == "outbox.sweep"


def test_task_waits_for_its_time(schedule: dict[str, dict[str, object]]) -> None:
    schedule["hourly"] = {"task": "tests.note", "schedule": 3600.0}

    minutes = [minute for minute in range(0, 150, 10) if _run(NOON + timedelta(minutes=minute))]

    assert (minutes, len(RUNS)) == ([0, 60, 120], 3)


def test_nightly_task_runs_once_a_night(schedule: dict[str, dict[str, object]]) -> None:
    schedule["nightly"] = {"task": "tests.note", "schedule": crontab(hour=21, minute=30)}

    hours = [hours for hours in range(0, 60, 2) if _run(NOON + timedelta(hours=hours))]

    assert hours == [0, 10, 34, 58]


def test_cron_that_is_now_and_then_a_second_early_misses_no_minute(schedule: dict[str, dict[str, object]]) -> None:
    schedule["each minute"] = {"task": "tests.note", "schedule": 60.0}

    for minute in range(10):
        _run(NOON + timedelta(minutes=minute, seconds=minute % 2))

    assert len(RUNS) == 10


def test_failure_stops_nothing_after_it_and_says_no_more_than_its_kind(
    schedule: dict[str, dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    schedule["bad"] = {"task": "tests.fail", "schedule": 60.0}
    schedule["good"] = {"task": "tests.note", "schedule": 60.0}

    with pytest.raises(CommandError, match=r"^1 of 2 failed: tests\.fail$"):
        call_command("run_due_work")

    assert capsys.readouterr().out.splitlines() == ["tests.fail: LookupError", "tests.note: done"]


def test_everything_runs_what_is_not_due(schedule: dict[str, dict[str, object]]) -> None:
    schedule["hourly"] = {"task": "tests.note", "schedule": 3600.0}

    for _ in range(2):
        call_command("run_due_work", everything=True)

    assert len(RUNS) == 2


def test_without_redis_everything_is_due(schedule: dict[str, dict[str, object]], settings: Settings) -> None:
    settings.CACHES = settings.CACHES | {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"},
    }
    schedule["hourly"] = {"task": "tests.note", "schedule": 3600.0}

    assert [_run(NOON), _run(NOON)] == [["tests.note"], ["tests.note"]]
