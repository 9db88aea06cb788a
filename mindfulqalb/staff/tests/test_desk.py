"""The first page as such: who sees which panel, what a failing one does, and how charts are drawn."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse

from mindfulqalb.staff.desk import registry
from mindfulqalb.staff.desk.charts import HEIGHT, WIDTH, Bar, Chart
from mindfulqalb.staff.desk.items import Task, ago
from mindfulqalb.staff.desk.page import PANEL_SECONDS, first_page
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.signs import Round, installed_at
from mindfulqalb.staff.desk.weeks import Weeks
from mindfulqalb.staff.roles import COMPLIANCE_AUDITOR, FINANCE
from mindfulqalb.staff.tests.builders import make_member, make_superuser

if TYPE_CHECKING:
    from django.test import Client

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
INDEX = "/admin/"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without panels."""
    monkeypatch.setattr(registry, "panels", {})


def _three_tasks(_viewer: Viewer) -> list[Task]:
    return [
        Task("Things to mend", 3, "Mend them.", "/admin/"),
        Task("Things that are fine", 0, "Leave them.", "/admin/"),
    ]


def _fault(_viewer: Viewer) -> list[Task]:
    raise LookupError


def _fault_in_the_database(_viewer: Viewer) -> list[Task]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    return []


def _slow(_viewer: Viewer) -> list[Task]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 1")
        cursor.execute("SELECT pg_sleep(10)")
    return []


# Panels


def test_panel_without_permission_is_refused() -> None:
    with pytest.raises(ValueError, match="who may see it"):
        panel(Area.TASKS)


@pytest.mark.usefixtures("bare")
def test_panel_is_registered_once() -> None:
    panel(Area.TASKS, "payments.view_refund")(_three_tasks)

    with pytest.raises(ValueError, match="is there already"):
        panel(Area.TASKS, "payments.view_refund")(_three_tasks)


@pytest.mark.django_db
@pytest.mark.usefixtures("bare")
def test_panel_is_for_those_who_hold_all_of_its_permissions() -> None:
    panel(Area.TASKS, "payments.view_refund", "payments.view_payment")(_three_tasks)
    panel(Area.HEALTH, "payments.view_refund", "audit.view_auditseal")(_fault)

    finance = first_page(member=make_member(FINANCE), now=NOW)
    auditor = first_page(member=make_member(COMPLIANCE_AUDITOR, username="ravi"), now=NOW)

    assert ({name: len(section.items) for name, section in finance.items()}, auditor) == ({"tasks": 2}, {})


@pytest.mark.django_db
@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize("fault", [_fault, _fault_in_the_database, _slow])
def test_panel_that_fails_leaves_a_gap_and_the_page_stands(
    client: Client, caplog: pytest.LogCaptureFixture, fault: registry.Look
) -> None:
    panel(Area.TASKS, "payments.view_refund")(fault)
    panel(Area.TASKS, "payments.view_refund")(_three_tasks)
    client.force_login(make_superuser())

    shown = client.get(INDEX).content.decode()

    assert ("Things to mend" in shown, "A part of this could not be shown" in shown) == (True, True)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        f"The panel {__name__}.{fault.__qualname__} failed"
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("bare")
def test_panel_may_not_take_longer_than_the_page_waits() -> None:
    seen: list[str] = []

    def look(_viewer: Viewer) -> list[Task]:
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            seen.append(cursor.fetchone()[0])
        return []

    panel(Area.TASKS, "payments.view_refund")(look)
    first_page(member=make_superuser(), now=NOW)

    assert seen == [f"{PANEL_SECONDS}s"]


@pytest.mark.django_db
@pytest.mark.usefixtures("bare")
def test_tasks_show_what_there_is_any_of(client: Client) -> None:
    panel(Area.TASKS, "payments.view_refund")(_three_tasks)
    client.force_login(make_superuser())

    shown = client.get(INDEX).content.decode()

    assert re.findall(r'class="count">(\d+)</span> ([^<]+)<', shown) == [("3", "Things to mend")]


@pytest.mark.django_db
@pytest.mark.usefixtures("bare")
def test_page_of_somebody_without_role_says_what_to_do(client: Client) -> None:
    client.force_login(make_member())

    assert "You have no role yet." in client.get(INDEX).content.decode()


@pytest.mark.django_db
def test_every_panel_names_permissions_that_exist() -> None:
    from_models = make_superuser().get_all_permissions()

    named = {permission for each in registry.panels.values() for permission in each.permissions}
    assert (len(named) > 5, named - from_models) == (True, set())


@pytest.mark.django_db
def test_page_has_no_script_or_style_of_its_own(client: Client) -> None:
    client.force_login(make_superuser())

    answer = client.get(INDEX)

    shown = answer.content.decode()
    assert re.findall(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", shown) == []
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_admin_tells_the_time_by_the_practices_clock(client: Client) -> None:
    member = make_superuser()
    client.force_login(member)
    type(member).objects.filter(id=member.id).update(last_login=datetime(2026, 12, 1, 20, 0, tzinfo=UTC))

    shown = client.get(reverse("admin:staff_staffmember_changelist")).content.decode()

    assert "2 Dec 2026, 01:30" in shown


# Charts


def _chart(*values: float) -> Chart:
    bars = [Bar(f"w{number}", value, f"{value:g} sessions", f"{value:g}") for number, value in enumerate(values)]
    return Chart("Sessions", ("Week", "Sessions"), bars)


def test_bars_fill_the_drawing_and_stay_within_it() -> None:
    chart = _chart(3, 0, 6, 0.001)

    drawn = chart.drawn()

    assert [bar.height for bar in drawn] == [46, 0, 92, 2]
    assert {bar.y + bar.height for bar in drawn} == {chart.floor}
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH and 0 < bar.above <= HEIGHT for bar in drawn)


def test_bars_do_not_touch_each_other() -> None:
    drawn = _chart(*range(8)).drawn()

    assert all(left.x + left.width < right.x for left, right in pairwise(drawn))


def test_chart_says_in_a_sentence_what_it_shows() -> None:
    assert _chart(3, 6, 2).summary == "Sessions. Highest: 6 sessions (w1). Last: 2 sessions (w2)."


@pytest.mark.parametrize(("values", "is_empty"), [((0, 0), True), ((0, 1), False)])
def test_chart_of_nothing_is_empty(values: tuple[float, ...], is_empty: bool) -> None:
    assert _chart(*values).is_empty is is_empty


# Weeks and durations


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        # In Kolkata it is five and a half hours later.
        (datetime(2026, 11, 29, 18, 29, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 29, 18, 30, tzinfo=UTC), date(2026, 11, 30)),
    ],
)
def test_week_begins_on_the_practices_monday(now: datetime, monday: date) -> None:
    weeks = Weeks.until(now)

    assert (len(weeks.mondays), weeks.mondays[-1]) == (8, monday)
    assert weeks.begin <= now < weeks.end


def test_weeks_without_figures_are_named_too() -> None:
    weeks = Weeks.until(NOW)
    found: dict[datetime, Any] = {weeks.begin: 5}

    figures = weeks.figures(found, 0)

    assert (figures[0], figures[1], figures[-1]) == (("12 Oct", 5), ("19 Oct", 0), ("30 Nov", 0))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "less than a minute"), (60, "1 minute"), (7199, "1 hour"), (7200, "2 hours"), (90000, "1 day")],
)
def test_duration_is_said_in_its_largest_unit(seconds: float, said: str) -> None:
    assert ago(seconds) == said


# Signs of life

ROUND = Round("Last purge", timedelta(hours=36), "/admin/")


def _never(*, age: timedelta) -> tuple[str, bool]:
    """What is said of what was never done by an installation of that age."""
    MigrationRecorder.Migration.objects.update(applied=NOW - age)
    installed_at.cache_clear()
    sign = ROUND.sign(None, now=NOW)
    installed_at.cache_clear()
    return sign.text, sign.is_well


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(minutes=5), ("Not yet: this installation is new", True)),
        (timedelta(hours=35), ("Not yet: this installation is new", True)),
        (timedelta(hours=37), ("Never yet", False)),
    ],
)
def test_what_was_never_done_alarms_only_once_it_should_have_been(age: timedelta, said: tuple[str, bool]) -> None:
    assert _never(age=age) == said


@pytest.mark.django_db
def test_what_was_done_alarms_when_it_is_long_ago_or_found_trouble() -> None:
    hour, days = NOW - timedelta(hours=1), NOW - timedelta(days=3)
    signs = [
        ROUND.sign(hour, now=NOW),
        ROUND.sign(days, now=NOW),
        ROUND.sign(hour, now=NOW, found="2 findings", is_trouble=True),
    ]

    assert [(sign.text, sign.is_well) for sign in signs] == [
        ("1 hour ago", True),
        ("3 days ago", False),
        ("1 hour ago, 2 findings", False),
    ]


def test_browsers_without_light_dark_get_the_light_colors() -> None:
    css = (settings.BASE_DIR / "templates" / "static" / "office" / "office.css").read_text()
    modern, fallback = css.split("@supports not (color: light-dark(#fff, #000))")
    wanted = dict(re.findall(r"(--[\w-]+): light-dark\((#\w+), #\w+\)", modern))

    assert (len(wanted) > 20, dict(re.findall(r"^    (--[\w-]+): (#\w+);", fallback, flags=re.MULTILINE))) == (
        True,
        wanted,
    )
