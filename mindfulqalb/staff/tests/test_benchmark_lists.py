"""The benchmark opens everything that a list offers, and fails where a goal is missed; it measures nothing here."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.staff import values
from mindfulqalb.staff.list_timing import looks, visitor
from mindfulqalb.staff.management.commands import benchmark_lists
from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pytest_django import DjangoAssertNumQueries, Settings

HELD = "action: The time was kept while the client pays (booking.held)"
MOVED = "action: Moved to another time (booking.moved)"
pytestmark = pytest.mark.django_db


def _record(now: datetime, *actions: str) -> None:
    for action in actions:
        record(action=action, actor="system", target="booking:1", now=now)


def test_looks_name_filters_searches_and_the_end_of_each_list(now: datetime) -> None:
    _record(now, "booking.held", "booking.moved")

    with visitor() as client:
        names = [look.name for look in looks(client)]

    assert names[0] == "first page"
    assert [name.removeprefix("audit.auditevent ") for name in names if name.startswith("audit.auditevent ")] == [
        *("as it opens", "last page", "occurred at: Today", "occurred at: Past 7 days", "occurred at: This month"),
        *("occurred at: This year", HELD, MOVED),
        *("search by action", "search by target", "search by actor", "search by request_id", "search for nothing"),
    ]


def _benchmark(monkeypatch: pytest.MonkeyPatch, milliseconds: float, **options: object) -> str:
    monkeypatch.setattr(benchmark_lists, "milliseconds", lambda *_args, **_options: milliseconds)
    out = StringIO()
    call_command("benchmark_lists", stdout=out, **options)
    return out.getvalue()


def test_benchmark_keeps_its_figures_and_leaves_nobody_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = _benchmark(monkeypatch, 20.0, write=tmp_path / "small.json")

    figures = json.loads((tmp_path / "small.json").read_text())
    assert (set(figures.values()), f"{len(figures)} looks, all within their goals." in said) == ({20.0}, True)
    assert StaffMember.objects.count() == 0


@pytest.mark.parametrize(("taken", "before"), [(300.0, 290.0), (131.0, 100.0)])
def test_benchmark_fails_on_what_is_slow_or_grows(
    taken: float, before: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _benchmark(monkeypatch, before, write=tmp_path / "small.json")

    with pytest.raises(CommandError, match="miss their goal"):
        _benchmark(monkeypatch, taken, against=tmp_path / "small.json")


def test_benchmark_takes_a_few_milliseconds_for_chance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _benchmark(monkeypatch, 10.0, write=tmp_path / "small.json")

    assert "  1.90 x" in _benchmark(monkeypatch, 19.0, against=tmp_path / "small.json")


def test_benchmark_names_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"--against: .*nothing\.json"):
        call_command("benchmark_lists", against=tmp_path / "nothing.json")


def test_benchmark_is_refused_in_production(settings: Settings) -> None:
    settings.DEVELOPMENT = False

    with pytest.raises(CommandError, match="not in production"):
        call_command("benchmark_lists")


def test_values_in_use_are_found_step_by_step_in_one_query(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _record(now, "booking.moved", "booking.held", "booking.moved")

    with django_assert_num_queries(1):
        found = values.distinct_values(AuditEvent._meta.get_field("action"), values.ValuesFilter.condition)

    assert found == ["booking.held", "booking.moved"]
