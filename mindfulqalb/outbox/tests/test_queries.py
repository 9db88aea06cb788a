from __future__ import annotations

from datetime import timedelta

import pytest

from mindfulqalb.outbox.queries import Backlog, backlog
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, make_message

pytestmark = pytest.mark.django_db


def test_an_empty_outbox_has_no_backlog() -> None:
    assert backlog(now=NOW) == Backlog(overdue=0, oldest=timedelta(0), dead=0)


def test_backlog_counts_what_is_due_and_what_is_dead() -> None:
    make_message(due_at=NOW - timedelta(minutes=7))
    make_message(due_at=NOW)
    make_message(due_at=NOW + timedelta(microseconds=1))
    make_message(due_at=NOW - timedelta(days=1), state=State.DELIVERED, finished_at=NOW)
    make_message(due_at=NOW - timedelta(days=2), state=State.DEAD, finished_at=NOW)

    assert backlog(now=NOW) == Backlog(overdue=2, oldest=timedelta(minutes=7), dead=1)
