"""After a change of BLIND_INDEX_KEY a person's rows lie under two digests: both are held, and both are erased."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.encryption.tests.keys import make_key
from mindfulqalb.mail.models import SentMail
from mindfulqalb.retention.holds import place_hold, release_hold
from mindfulqalb.retention.models import LegalHold, Restriction
from mindfulqalb.retention.purging import purge_expired
from mindfulqalb.retention.timetable import load_shipped_rules
from mindfulqalb.subject_requests.services import begin_erasure, receive_request, verify_identity

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

EMAIL, NOW = "jane@example.com", datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
YEARS = timedelta(days=365)


@pytest.fixture(autouse=True)
def _timetable() -> None:
    load_shipped_rules()


def rotate(settings: Settings) -> None:
    """Write digests under a new key from now on, and find by both."""
    settings.BLIND_INDEX_KEY_FALLBACKS = [settings.BLIND_INDEX_KEY]
    settings.BLIND_INDEX_KEY = make_key("a later index")


def make_mail(age: timedelta) -> SentMail:
    """A mail to Jane, under the digest of now."""
    digest = email_digest(EMAIL)
    return SentMail.objects.create(
        key=uuid4(), template="reminder", about="none:1", recipient_hash=digest, content="Dear Jane", sent_at=NOW - age
    )


def purge() -> list[int]:
    """Let go what is due, and say how many went at each step."""
    return [step.row_count for step in purge_expired(now=NOW)]


def ask_to_be_erased() -> None:
    """Jane's request, verified and begun."""
    request = receive_request(kind="erasure", email=EMAIL, wish="All of it", actor="staff:1", now=NOW)
    verify_identity(request_id=request.id, verification="known", actor="staff:1", now=NOW)
    begin_erasure(request_id=request.id, reason="asked", actor="staff:1", now=NOW)


def test_hold_keeps_what_was_written_under_the_key_before(settings: Settings) -> None:
    mail = make_mail(9 * YEARS)
    rotate(settings)
    place_hold(email=EMAIL, reason="claim", actor="staff:1", now=NOW)

    assert (purge(), list(SentMail.objects.all())) == ([], [mail])


def test_hold_keeps_what_was_written_under_a_later_key(settings: Settings) -> None:
    place_hold(email=EMAIL, reason="claim", actor="staff:1", now=NOW)
    rotate(settings)
    mail = make_mail(9 * YEARS)

    assert (purge(), list(SentMail.objects.all())) == ([], [mail])


def test_erasure_takes_what_was_written_under_the_key_before(settings: Settings) -> None:
    make_mail(2 * YEARS)
    rotate(settings)
    make_mail(2 * YEARS)
    ask_to_be_erased()

    assert (purge(), SentMail.objects.count()) == ([2], 0)


def test_erasure_is_not_closed_while_anything_lies_under_the_key_before(settings: Settings) -> None:
    make_mail(YEARS / 2)
    rotate(settings)
    ask_to_be_erased()

    assert (purge(), SentMail.objects.count(), Restriction.objects.get().settled_at) == ([], 1, None)


def test_erasure_begun_under_the_key_before_is_begun_once(settings: Settings) -> None:
    make_mail(YEARS / 2)
    ask_to_be_erased()
    rotate(settings)
    ask_to_be_erased()

    assert Restriction.objects.count() == 1


def test_address_is_kept_no_longer_than_it_is_needed() -> None:
    make_mail(2 * YEARS)
    hold = place_hold(email=EMAIL, reason="claim", actor="staff:1", now=NOW)
    release_hold(hold_id=hold.id, reason="settled", actor="staff:1", now=NOW)
    ask_to_be_erased()
    during = Restriction.objects.get().email
    purge()
    Restriction.objects.exclude(settled_at=None).get()

    assert (during, Restriction.objects.get().email, LegalHold.objects.get().email) == (EMAIL, None, None)
