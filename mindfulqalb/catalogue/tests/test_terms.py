"""What the cancellation rules mean for one session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from mindfulqalb.catalogue.models import CancellationRule
from mindfulqalb.catalogue.queries import refund_percent
from mindfulqalb.catalogue.terms import RefundStep, cancellation_rules, refund_steps, terms_text

pytestmark = pytest.mark.django_db

STARTS_AT = datetime(2026, 12, 4, 10, 30, tzinfo=UTC)  # 4 PM in India
INDIA = ZoneInfo("Asia/Kolkata")
DEFAULT = ((24, 100), (0, 50))


def _load(rules: tuple[tuple[int, int], ...]) -> list[CancellationRule]:
    for hours, percent in rules:
        CancellationRule.objects.create(hours_before=hours, refund_percent=percent)
    return cancellation_rules()


def _before(**notice: float) -> datetime:
    return STARTS_AT - timedelta(**notice)


def _said(rules: tuple[tuple[int, int], ...], now: datetime) -> str:
    steps = refund_steps(_load(rules), starts_at=STARTS_AT, now=now)
    return terms_text(steps, starts_at=STARTS_AT, zone=INDIA)


@pytest.mark.parametrize(
    ("rules", "days", "sentence"),
    [
        (DEFAULT, 3, "Cancel until Thu 3 Dec, 4:00 PM: all of it back; after that half."),
        (DEFAULT, 0.5, "If you cancel, half of the price comes back."),
        (((24, 100),), 3, "Cancel until Thu 3 Dec, 4:00 PM: all of it back; after that nothing."),
        (((24, 100), (0, 0)), 3, "Cancel until Thu 3 Dec, 4:00 PM: all of it back; after that nothing."),
        (((24, 100),), 0.5, "If you cancel, nothing of the price comes back."),
        (((0, 100),), 3, "Cancel at any time before it begins: all of it back."),
        (((0, 30),), 3, "If you cancel, 30 % of the price comes back."),
        ((), 3, "If you cancel, nothing of the price comes back."),
        (((72, 100), (48, 100), (0, 50)), 4, "Cancel until Wed 2 Dec, 4:00 PM: all of it back; after that half."),
        (
            ((48, 100), (24, 50), (2, 30)),
            4,
            (
                "Cancel until Wed 2 Dec, 4:00 PM: all of it back; until Thu 3 Dec, 4:00 PM half;"
                " until Fri 4 Dec, 2:00 PM 30 %; after that nothing."
            ),
        ),
    ],
)
def test_terms_say_what_comes_back(rules: tuple[tuple[int, int], ...], days: float, sentence: str) -> None:
    assert _said(rules, _before(days=days)) == sentence


def test_terms_are_said_in_hindi() -> None:
    with translation.override("hi"):
        sentence = _said(DEFAULT, _before(days=3))

    assert sentence.endswith("पूरी राशि वापस; उसके बाद आधी राशि।")


@pytest.mark.parametrize("rules", [DEFAULT, ((48, 100), (24, 50), (2, 30)), ((24, 40),), ()])
def test_steps_agree_with_the_policy_at_every_edge(rules: tuple[tuple[int, int], ...]) -> None:
    loaded = _load(rules)
    now = _before(days=5)
    second = timedelta(seconds=1)
    moments = [STARTS_AT - timedelta(hours=rule.hours_before) for rule in loaded] + [_before(hours=1)]
    checked = [at for moment in moments for at in (moment - second, moment, moment + second) if at < STARTS_AT]

    steps = refund_steps(loaded, starts_at=STARTS_AT, now=now)

    assert [next((step.percent for step in steps if at <= step.until), 0) for at in checked] == [
        refund_percent(notice=STARTS_AT - at) for at in checked
    ]


def test_steps_that_have_passed_are_left_out() -> None:
    steps = refund_steps(_load(DEFAULT), starts_at=STARTS_AT, now=_before(hours=24) + timedelta(seconds=1))

    assert steps == [RefundStep(STARTS_AT, 50)]
