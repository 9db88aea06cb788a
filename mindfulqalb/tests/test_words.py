"""The back office has words for whatever stands in a story: a new act, mail, message or webhook needs some."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mindfulqalb.outbox.registry import handlers
from mindfulqalb.staff.words import Topic, in_words, knows

ROOT = Path(__file__).parents[2]
TOLD = ("booking", "calendar", "dispute", "mail", "payment", "receipt", "refund", "refund_note", "reminders")
ACT = re.compile(rf'"((?:{"|".join(TOLD)})\.[a-z_]+)"')
MAILS = ROOT / "templates" / "emails"
# Theirs is no story of a session or a payment.
UNTOLD_WORK = ("audit.", "retention.", "test.")


def _acts() -> set[str]:
    """Find the actions that our code names beside `record(`; vendors' events and outbox topics are named elsewhere."""
    found = set()
    for app in ("bookings", "payments", "mindfulqalb"):
        for path in (ROOT / app).rglob("*.py"):
            if not {"tests", "sandbox", "gateways", "migrations"} & set(path.parts):
                found |= set(re.findall(r'action="([a-z_]+\.[a-z_]+)"', path.read_text()))
    return {action for action in found if ACT.fullmatch(f'"{action}"')}


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        (Topic.ACT, _acts()),
        (Topic.MAIL, {path.name.removesuffix(".subject.txt") for path in MAILS.glob("*.subject.txt")}),
        (Topic.WORK, {name for name in handlers if not name.startswith(UNTOLD_WORK)}),
    ],
)
def test_there_are_words_for(topic: Topic, names: set[str]) -> None:
    assert len(names) > 10
    assert sorted(name for name in names if not knows(topic, name)) == []


def test_what_has_no_words_yet_is_told_by_its_name() -> None:
    assert in_words(Topic.ACT, "booking.something_new") == "booking something new"
