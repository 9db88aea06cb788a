"""What is kept no longer goes, in every app, and leaves a trail that verifies; what is held stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection

from bookings.models import Booking, CalendarFinding
from bookings.states import BookingState
from bookings.tests.builders import JOHN, make_booking, make_payment, make_wish
from consent.models import ConsentRecord
from consent.publishing import publish_shipped_document
from consent.tests.builders import make_consent
from mindfulqalb.audit.actions import REMOVALS
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import record
from mindfulqalb.audit.tests.doors import refused, run_sql
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.idempotency.models import KeptAnswer
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.retention.copies import read_copies, store_copy
from mindfulqalb.retention.holds import place_hold
from mindfulqalb.retention.metrics import purge_seconds
from mindfulqalb.retention.models import Restriction, RetentionRule, Tombstone
from mindfulqalb.retention.purging import BY_TIME, count_expired, purge_expired, tasks
from mindfulqalb.retention.replay import replay_tombstones
from mindfulqalb.retention.states import Action
from mindfulqalb.retention.tasks import purge
from mindfulqalb.retention.timetable import load_shipped_rules
from mindfulqalb.staff.models import KnownDevice, RefreshToken, StaffMember
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Payment
from payments.receipts.models import Receipt
from payments.receipts.rendering import shown
from payments.receipts.services import Recipient, issue_receipt

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

YEARS, HOUR = timedelta(days=365), timedelta(hours=1)
ROOT = Path(__file__).resolve().parents[2]
ALL = {
    "audit_event": 1,
    "bulk_action": 1,
    "calendar_finding": 1,
    "consent": 1,
    "kept_answer": 1,
    "known_device": 1,
    "mail": 1,
    "outbox": 1,
    "payment": 1,
    "receipt": 1,
    "refresh_token": 1,
    "session": 1,
    "unbooked": 1,
    "booking": 1,
    "webhook": 1,
}


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def make_past(at: datetime, *, state: BookingState = BookingState.COMPLETED, **wish: Any) -> Booking:
    """A session that was paid, and all that it left: consent, payment, receipt, mail, webhook."""
    publish_shipped_document(now=at - YEARS)
    payment = make_payment(captured_at=at, checkout_url="https://checkout.stripe.test/cs_1")
    run_sql("UPDATE payments SET created_at = %s WHERE id = %s", [at, payment.id])
    spare = make_booking(wish=make_wish(**wish), state=BookingState.CANCELLED, starts_at=at, ends_at=at + HOUR)
    booking = Booking.objects.get(id=spare.id)
    booking.payment, booking.state, booking.calcom_booking_id = payment, state, "uid"
    booking.created_at = at - timedelta(days=3)
    booking.consent = make_consent(email=booking.customer_email, now=at)
    booking.save()
    issue_receipt(payment_id=payment.id, recipient=Recipient(name="Jane Doe", item="Session"), now=at)
    make_mail(at, f"booking:{booking.id}")
    make_webhook(at, f"payment:{payment.id}")
    return booking


def make_mail(at: datetime, about: str) -> SentMail:
    return SentMail.objects.create(
        key=uuid4(),
        template="confirmation",
        about=about,
        recipient_hash=email_digest("jane@example.com"),
        content="Dear Jane",
        sent_at=at,
    )


def make_webhook(at: datetime, about: str = "") -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        vendor="razorpay",
        event_id=str(uuid4()),
        event_type="payment.captured",
        body='{"email": "jane@example.com"}',
        body_digest="0" * 64,
        about=about,
        received_at=at,
    )


def make_the_rest(at: datetime) -> None:
    """Everything else that is kept for a while."""
    make_booking(state=BookingState.EXPIRED, starts_at=at, ends_at=at + HOUR, hold_expires_at=at)
    CalendarFinding.objects.create(
        kind="UNKNOWN", calendar_uid="uid1", starts_at=at, client_email="jane@example.com", found_at=at, seen_at=at
    )
    KeptAnswer.objects.create(key_digest="k", path="/", body_digest="b", claimed_until=at, answer="{}", created_at=at)
    member = StaffMember.objects.create_user("asha")
    KnownDevice.objects.create(member=member, digest="d", first_seen_at=at, last_seen_at=at)
    RefreshToken.objects.create(member=member, digest="t", token_version=1, created_at=at, expires_at=at)
    Session.objects.create(session_key="s", session_data="x", expire_date=at)
    BulkAction.objects.create(key=uuid4(), actor="staff:1", title="t", row_count=0, asked_at=at, finished_at=at)
    enqueue(topic="email.confirmation", lane="booking:1", payload={}, now=at)
    OutboxMessage.objects.update(state="DELIVERED", finished_at=at)


def run_purge(now: datetime, **options: Any) -> dict[str, int]:
    """Purge to the end; what went, by kind."""
    done: dict[str, int] = {}
    for step in purge_expired(now=now, **options):
        done[step.task.name] = done.get(step.task.name, 0) + step.row_count
    return done


def due(now: datetime) -> dict[str, int]:
    return {name: count for name, count in count_expired(now=now).items() if count}


def verified(now: datetime) -> str:
    """What `verify_audit` says; raises CommandError for anything that does not fit."""
    seal_events(now=now)
    out = StringIO()
    call_command("verify_audit", stdout=out, copies=None)
    return out.getvalue()


def test_everything_that_is_over_goes_and_nothing_else(now: datetime) -> None:
    make_past(now - 9 * YEARS)
    make_the_rest(now - 9 * YEARS)
    recent = make_past(now - timedelta(days=3), customer=JOHN)

    assert due(now) == ALL
    assert (run_purge(now), due(now), run_purge(now)) == (ALL, {}, {})
    recent.refresh_from_db()
    assert (recent.customer_email, recent.consent_id is None) == ("john@example.com", False)


def test_person_goes_and_times_and_amounts_stay(now: datetime) -> None:
    at = now - 9 * YEARS
    booking = make_past(at)

    run_purge(now)

    booking.refresh_from_db()
    assert (booking.customer_name, booking.customer_email, booking.customer_phone) == ("", "", None)
    assert (booking.customer_email_hash, booking.customer_phone_hash) == ("", "")
    assert (booking.starts_at, booking.state, booking.consent_id) == (at, "COMPLETED", None)
    payment, receipt = Payment.objects.get(), Receipt.objects.get()
    assert (payment.captured_amount_minor, payment.checkout_url, payment.reference) == (129900, "", "")
    assert (receipt.amount_minor, receipt.number, "Jane" in str(shown(receipt))) == (129900, receipt.number, False)
    left = [ConsentRecord.objects.filter(created_at=at), SentMail.objects.all(), WebhookDelivery.objects.all()]
    assert [rows.count() for rows in left] == [0, 0, 0]


def test_receipts_stay_as_long_as_tax_law_asks(now: datetime) -> None:
    make_past(now - 4 * YEARS)

    assert run_purge(now) == {"webhook": 1, "mail": 1, "booking": 1}
    assert "Jane Doe" in str(shown(Receipt.objects.get()))


@pytest.mark.parametrize("action", [Action.KEEP_DIGEST, Action.ERASE])
def test_purging_evidence_leaves_the_audit_trail_valid(now: datetime, action: Action) -> None:
    load_shipped_rules()
    RetentionRule.objects.filter(kind="consent").update(action=action)
    make_past(now - 4 * YEARS)
    booking = make_booking(wish=make_wish(customer=JOHN), state=BookingState.CANCELLED)
    seal_events(now=now)
    later = now + 8 * YEARS

    done = run_purge(later)

    assert (done["consent"], ConsentRecord.objects.count()) == (3, 0)
    assert "Nothing was altered or removed" in verified(later)
    event = AuditEvent.objects.get(target=f"consent:{booking.consent_id}")
    assert (event.evidence is None) == (action == Action.ERASE)


def test_event_loses_what_it_tells_and_keeps_its_place_in_the_chain(now: datetime) -> None:
    act: dict[str, Any] = {
        "action": "payment.refund_requested",
        "actor": "staff:1",
        "target": "payment:1",
        "now": now - 9 * YEARS,
    }
    event = record(**act, details={"amount_minor": 500}, reason="Jane Doe phoned in tears")
    before = verified(now)

    done = run_purge(now)

    event.refresh_from_db()
    assert done == {"audit_event": 1}
    assert (event.action, event.target, event.details, event.reason) == (act["action"], "payment:1", None, None)
    assert ["Nothing was altered or removed" in said for said in (before, verified(now))] == [True, True]


def test_events_that_account_for_what_is_gone_are_never_erased(now: datetime) -> None:
    make_past(now - 9 * YEARS)
    run_purge(now)

    run_purge(now + 9 * YEARS)

    removals = AuditEvent.objects.filter(action__in=REMOVALS)
    assert (removals.filter(salt=None).count(), removals.exists()) == (0, True)
    assert "Nothing was altered or removed" in verified(now + 9 * YEARS)


def test_tombstone_tells_the_rule_and_the_count_and_no_person(now: datetime) -> None:
    rows = [make_webhook(now - 2 * YEARS) for _ in range(3)]

    run_purge(now)

    stone = Tombstone.objects.get()
    assert (stone.kind, stone.rule, stone.action, stone.row_count) == ("webhook", "webhook/IN", "erase", 3)
    assert (stone.cutoff, stone.rows, stone.actor) == (now - YEARS, [], "system")
    event = AuditEvent.objects.get(action="retention.purged")
    assert event.details == {"rule": "webhook/IN", "rows": 3, "digest": stone.digest}
    assert [str(row.id) in stone.digest for row in rows] == [False] * 3


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE"])
def test_tombstones_are_append_only(now: datetime, operation: str) -> None:
    make_webhook(now - 2 * YEARS)
    run_purge(now)
    statement = {"UPDATE": "UPDATE tombstones SET row_count = 1", "DELETE": "DELETE FROM tombstones"}[operation]

    with refused("tombstones", operation):
        run_sql(statement)


@pytest.mark.parametrize("on", ["person", "booking"])
def test_what_is_held_stays_with_all_that_hangs_on_it(now: datetime, on: str) -> None:
    booking = make_past(now - 9 * YEARS)
    make_past(now - 9 * YEARS, customer=JOHN)
    Booking.objects.update(session_type="individual")
    SentMail.objects.exclude(about=f"booking:{booking.id}").update(recipient_hash=email_digest(JOHN.email))
    what = {"email": "jane@example.com"} if on == "person" else {"target": f"booking:{booking.id}"}
    place_hold(**what, reason="claim", actor="staff:1", now=now)

    done = run_purge(now)

    assert done == dict.fromkeys(("audit_event", "payment", "receipt", "consent", "mail", "webhook", "booking"), 1)
    booking.refresh_from_db()
    assert (booking.customer_email, booking.consent_id is None) == ("jane@example.com", False)


def test_holds_are_looked_up_before_a_chunk_and_not_for_each_row_of_a_table(now: datetime) -> None:
    make_past(now - 9 * YEARS)
    place_hold(email="jane@example.com", reason="claim", actor="staff:1", now=now)

    by_time = (task for task in tasks(now=now) if task.ground == BY_TIME)
    reads = {task.name: str(task.due(now).query).count("SELECT") for task in by_time}

    assert reads == dict.fromkeys(reads, 1)


def test_dry_run_counts_exactly_and_takes_nothing(now: datetime) -> None:
    make_past(now - 9 * YEARS)
    make_the_rest(now - 9 * YEARS)
    out, done = StringIO(), StringIO()

    call_command("purge_expired", dry_run=True, stdout=out)
    before = Tombstone.objects.count()
    call_command("purge_expired", stdout=done)

    assert out.getvalue().splitlines()[-1] == "15 rows would go"
    assert (before, done.getvalue().splitlines()[-1]) == (0, "15 rows went")
    assert set(out.getvalue().splitlines()[:-1]) == {f"{name}: 1" for name in ALL}


def test_chunks_come_to_the_same_end_as_one_go(now: datetime) -> None:
    for _ in range(5):
        make_webhook(now - 2 * YEARS)

    steps = [step.row_count for step in purge_expired(now=now, chunk_rows=2)]

    assert (steps, Tombstone.objects.count(), WebhookDelivery.objects.count()) == ([2, 2, 1], 3, 0)


def test_monitor_sees_when_the_last_purge_ended(now: datetime) -> None:
    before = purge_seconds(now)

    run_purge(now)

    assert (before, purge_seconds(now + HOUR)) == (0.0, 3600.0)


def test_beat_purges(now: datetime) -> None:
    make_webhook(now - 2 * YEARS)

    purge()

    assert WebhookDelivery.objects.count() == 0


@pytest.mark.parametrize("chunk", [0, 501])
def test_command_refuses_chunks_that_the_trail_could_not_account_for(chunk: int) -> None:
    with pytest.raises(CommandError, match="between 1 and 500"):
        call_command("purge_expired", chunk=chunk)


@pytest.mark.django_db(transaction=True)
def test_killed_half_way_and_run_again_it_ends_the_same(now: datetime) -> None:
    for _ in range(60):
        make_webhook(now - 2 * YEARS)
    kept = make_webhook(now)
    command = [sys.executable, "-u", "manage.py", "purge_expired", "--chunk", "1"]
    test_database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + str(connection.settings_dict["NAME"])
    environment = os.environ | {"DATABASE_URL": test_database}

    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGKILL)
    cut_off = WebhookDelivery.objects.count()
    run_purge(now)

    assert (lines[-1], process.returncode, 1 < cut_off < 61) == ("webhook: 5 of 60\n", -signal.SIGKILL, True)
    assert list(WebhookDelivery.objects.all()) == [kept]
    assert sum(Tombstone.objects.values_list("row_count", flat=True)) == 60
    assert "Nothing was altered or removed" in verified(now)


# Requests for erasure


def test_erasure_inside_the_legal_minimum_waits_for_its_end(now: datetime) -> None:
    make_past(now - timedelta(days=100))
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now)

    first = run_purge(now)
    second = run_purge(now + YEARS)

    assert first == {}
    asked_for = {"audit_event (asked for)": 1, "consent (asked for)": 1, "mail (asked for)": 1}
    assert second == {"webhook": 1} | asked_for


def test_what_came_after_the_request_is_not_erased_by_it(now: datetime) -> None:
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now - 2 * YEARS)
    mail = make_mail(now - YEARS - YEARS / 2, "booking:1")

    assert (run_purge(now), SentMail.objects.get()) == ({}, mail)


@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.PENDING, BookingState.CONFIRMED])
def test_erasure_waits_for_a_session_ahead_and_takes_it_when_it_is_over(
    now: datetime, state: BookingState, settings: Settings
) -> None:
    settings.RETENTION_JURISDICTIONS = ["EU"]
    ahead = now + timedelta(days=3)
    booking = make_booking(state=state, starts_at=ahead, ends_at=ahead + HOUR, calcom_booking_id="uid")
    Booking.objects.update(created_at=now - HOUR)
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now)

    first = run_purge(now)
    waited = Restriction.objects.get().settled_at is None
    Booking.objects.update(state=BookingState.COMPLETED)
    last = run_purge(ahead + 2 * HOUR)

    booking.refresh_from_db()
    assert (waited, "booking (asked for)" in first, last["booking (asked for)"]) == (True, False, 1)
    assert (booking.customer_name, booking.customer_email_hash) == ("", "")


def test_session_that_was_booked_after_the_request_is_not_erased_by_it(now: datetime, settings: Settings) -> None:
    settings.RETENTION_JURISDICTIONS = ["EU"]
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now - 2 * HOUR)
    make_booking(state=BookingState.COMPLETED, starts_at=now - HOUR, ends_at=now, calcom_booking_id="uid")
    Booking.objects.update(created_at=now - HOUR)

    assert (run_purge(now), Restriction.objects.get().settled_at) == ({}, now)


@pytest.mark.parametrize(
    ("traits", "kind"),
    [
        ({}, "unbooked"),
        ({"calcom_booking_id": "uid"}, "booking"),
        ({"calendar_asked_at": datetime(2020, 1, 1, tzinfo=UTC)}, "booking"),
    ],
)
def test_hold_that_was_given_up_names_its_client_no_longer_than_one_that_ran_out(
    now: datetime, traits: dict[str, Any], kind: str
) -> None:
    at = now - 9 * YEARS
    make_booking(state=BookingState.CANCELLED, starts_at=at, ends_at=at + HOUR, **traits)

    assert {name for name in run_purge(now) if "booked" in name or name == "booking"} == {kind}


def test_restriction_is_settled_when_nothing_is_left(now: datetime) -> None:
    make_mail(now - 2 * YEARS, "booking:1")
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now)

    run_purge(now)

    stone = Tombstone.objects.get()
    assert (Restriction.objects.get().settled_at, stone.rule, len(stone.rows)) == (now, "mail/IN on request", 1)


# A restored backup


def test_restored_backup_lets_go_again_what_had_gone(now: datetime, settings: Settings, tmp_path: Path) -> None:
    settings.RETENTION_TOMBSTONE_DIRECTORY = str(tmp_path)
    old, asked = make_webhook(now - 2 * YEARS), make_mail(now - 2 * YEARS, "booking:1")
    Restriction.objects.create(person_hash=email_digest("jane@example.com"), since=now)
    run_purge(now)
    store_copy(day=now.date())
    # The backup: older than the purge, and with a longer timetable.
    for row in (old, asked):
        row.save(force_insert=True)
    with open_door("retention"):
        Tombstone.objects.all().delete()
    Restriction.objects.all().delete()
    load_shipped_rules()
    RetentionRule.objects.update(period_days=9000)
    assert due(now) == {}

    out = StringIO()
    call_command("purge_expired", replay=True, copies=tmp_path, stdout=out)
    again = list(replay_tombstones(copies=read_copies(tmp_path), actor="system", now=now))

    assert (WebhookDelivery.objects.count(), SentMail.objects.count(), again) == (0, 0, [])
    assert out.getvalue().splitlines()[-1] == "2 rows went"


def test_purge_asks_once_for_a_copy_outside(now: datetime, settings: Settings, tmp_path: Path) -> None:
    settings.RETENTION_TOMBSTONE_DIRECTORY = str(tmp_path)
    for _ in range(3):
        make_webhook(now - 2 * YEARS)

    run_purge(now, chunk_rows=1)

    message = OutboxMessage.objects.get(topic="retention.tombstones_stored")
    store_copy(day=datetime.fromisoformat(message.payload["day"]).date())
    (copy,) = tmp_path.iterdir()
    lines = [json.loads(line) for line in copy.read_text().splitlines()]
    assert [line["row_count"] for line in lines] == [1, 1, 1]
    assert {stone.id for stone in read_copies(tmp_path)} == {stone.id for stone in Tombstone.objects.all()}


def test_unreadable_copies_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "tombstones-2026-01-01.jsonl").write_text("{")

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("purge_expired", replay=True, copies=tmp_path)
