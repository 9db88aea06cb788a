"""An imagined past: real rows, really encrypted, that purges and verifications take for what practice leaves."""

from __future__ import annotations

import itertools
from datetime import timedelta
from io import StringIO
from random import Random
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from bookings.history import PAST, _imagine
from bookings.models import Booking
from bookings.tests.builders import make_catalogue
from consent.models import ConsentRecord
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.retention.purging import count_expired, purge_expired
from payments.models import Payment

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def make(rows: int, **options: int) -> list[str]:
    """What the command says, line by line."""
    make_catalogue()
    out = StringIO()
    call_command("make_history", rows=rows, stdout=out, **options)
    return out.getvalue().splitlines()


def test_history_has_a_consent_a_payment_and_events_for_each_session() -> None:
    lines = make(50)

    counts = [model._base_manager.count() for model in (Booking, ConsentRecord, Payment, AuditEvent)]
    assert (lines[0], counts) == ("50 of 50 sessions", [50, 50, 50, 100])


def test_history_of_a_few_days_is_spread_over_them(now: datetime) -> None:
    make(10, days=5)

    starts = list(Booking.objects.order_by("starts_at").values_list("starts_at", flat=True))
    gaps = {later - earlier for earlier, later in itertools.pairwise(starts)}
    assert (gaps, now - starts[0] < timedelta(days=6)) == ({timedelta(hours=12)}, True)


def test_history_of_a_million_sessions_reaches_beyond_what_a_product_of_times_can_hold(now: datetime) -> None:
    with pytest.raises(OverflowError):
        PAST * 300_000

    sessions = _imagine(1_000_000, PAST, now, Random(1))

    latest = next(itertools.islice(sessions, 300_000, None)).starts_at
    assert latest - (now - PAST) == timedelta(days=1095)


def test_history_is_encrypted_and_found_by_digest() -> None:
    make(10)

    booking = Booking.objects.order_by("starts_at")[0]
    assert (booking.customer_email_hash, booking.consent is None) == (email_digest(booking.customer_email), False)
    assert booking.customer_name.split()[0].lower() in booking.customer_email


def test_history_verifies_before_and_after_its_purge(now: datetime) -> None:
    make(60)
    seal_events(now=now)
    call_command("verify_audit", copies=None, stdout=StringIO())
    expected = {name: count for name, count in count_expired(now=now).items() if count}

    done: dict[str, int] = {}
    for step in purge_expired(now=now):
        done[step.task.name] = done.get(step.task.name, 0) + step.row_count
    seal_events(now=now)

    call_command("verify_audit", copies=None, stdout=StringIO())
    assert (set(done), done) == ({"audit_event", "payment", "consent", "unbooked", "booking"}, expected)


def test_history_is_refused_in_production(settings: Settings) -> None:
    settings.DEVELOPMENT = False

    with pytest.raises(CommandError, match="no place in production"):
        make(1)


@pytest.mark.parametrize("rows", [0, -1])
def test_history_of_nothing_is_refused(rows: int) -> None:
    with pytest.raises(CommandError, match="1 or more"):
        make(rows)


def test_purge_says_how_long_its_longest_statement_took() -> None:
    make(20)
    out = StringIO()

    call_command("purge_expired", measure=True, stdout=out)

    assert "the longest took" in out.getvalue().splitlines()[-1]
