"""The database is lost, or a key has leaked: drills that nobody should do for the first time on that day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bookings.tests.builders import next_slot
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.encryption.tests.keys import NEW_KEY
from mindfulqalb.secret_strength import DEVELOPMENT_SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bookings.tests.journeys.stack import Stack

OTHER = "after_the_disaster"
RESTORED = (0, "Restored. Next: manage.py migrate, manage.py verify_audit")
COUNTS = (
    "SELECT relname, (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM ' || oid::regclass, false, true,"
    " '')))[1]::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
OLD_KEY = DEVELOPMENT_SECRETS["ENCRYPTION_KEY"]


@pytest.fixture(scope="module")
def booked(stack: Stack) -> dict[str, Any]:
    """A session that was paid for, and stands in the calendar."""
    visitor = stack.visitor(next_slot(10, days=55), email="survivor@example.com")
    _, hold = visitor.hold()
    visitor.book(visitor.pay(hold["payment"]["orderId"])["razorpay_payment_id"])
    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")
    stack.manage("run_due_work", "--everything").check_returncode()
    return dict(hold)


@pytest.fixture(scope="module")
def backup(stack: Stack, booked: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the stack's database, made while all of its processes run."""
    file = tmp_path_factory.mktemp("backups") / "mindfulqalb.dump"
    made = stack.manage("backup", str(file))
    assert (made.returncode, [path.name for path in file.parent.iterdir()]) == (0, [file.name]), made.stderr
    assert f"{file}: {file.stat().st_size:,} bytes." in made.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    return file


@pytest.fixture(scope="module")
def restored(stack: Stack, backup: Path) -> Iterator[str]:
    """Another database, with what the file holds."""
    stack.make_database(OTHER)
    assert _restore(stack, backup) == RESTORED
    yield OTHER
    stack.drop_database(OTHER)


def _restore(stack: Stack, file: Path, *words: str) -> tuple[int, str]:
    done = stack.manage("restore", str(file), *words, database=OTHER)
    return done.returncode, (done.stderr or done.stdout).strip().splitlines()[-1]


def test_restored_database_is_the_one_that_was_lost(stack: Stack, booked: dict[str, Any], restored: str) -> None:
    booking_id = BOOKING.decode(booked["bookingId"])
    session = (
        f"SELECT state, starts_at, calcom_booking_id, customer_email_encrypted FROM bookings WHERE id = '{booking_id}'"  # noqa: S608
    )

    migrated = stack.manage("migrate", database=restored)
    audited = stack.manage("verify_audit", database=restored)

    assert stack.rows(session, restored) == stack.rows(session)
    assert ("No migrations to apply" in migrated.stdout, audited.returncode) == (True, 0), audited.stderr
    assert "Nothing was altered or removed" in audited.stdout


def test_restore_refuses_to_overwrite(stack: Stack, backup: Path, restored: str) -> None:
    before = stack.rows(COUNTS, restored)

    assert _restore(stack, backup) == (
        1,
        "CommandError: The database is not empty; --force puts the copy in place of all there is",
    )
    assert stack.rows(COUNTS, restored) == before


def test_half_a_file_restores_nothing(stack: Stack, backup: Path, restored: str, tmp_path: Path) -> None:
    before = stack.rows(COUNTS, restored)
    whole = backup.read_bytes()
    half = tmp_path / "half.dump"
    half.write_bytes(whole[: len(whole) * 9 // 10])

    status, said = _restore(stack, half, "--force")

    assert (status, said.split(": ")[:2]) == (1, ["CommandError", "Nothing was restored, the database is as it was"])
    assert stack.rows(COUNTS, restored) == before


def test_leaked_key_is_replaced(stack: Stack, restored: str) -> None:
    moved = stack.manage("reencrypt", database=restored, ENCRYPTION_KEY=NEW_KEY, ENCRYPTION_KEY_FALLBACKS=OLD_KEY)
    left = stack.manage("reencrypt", "--dry-run", database=restored, ENCRYPTION_KEY=NEW_KEY)
    audited = stack.manage("verify_audit", database=restored, ENCRYPTION_KEY=NEW_KEY)

    assert (moved.returncode, left.returncode, audited.returncode) == (0, 0, 0), moved.stderr + audited.stderr
    assert {line.partition(": ")[2].partition(" of ")[0] for line in left.stdout.splitlines()[1:]} == {"0"}


def test_forced_restore_replaces_all_that_came_later(stack: Stack, backup: Path, restored: str) -> None:
    late = stack.manage("create_staff", "late", "--email", "late@example.com", "--role", "Finance", database=restored)
    late.check_returncode()

    assert _restore(stack, backup, "--force") == RESTORED
    assert stack.rows("SELECT username FROM staff_members WHERE username = 'late'", restored) == []


def test_restored_backup_forgets_again_what_had_gone_since(stack: Stack, restored: str, tmp_path: Path) -> None:
    old = "UPDATE sent_mails SET sent_at = sent_at - interval '9 years' WHERE id = (SELECT id FROM sent_mails LIMIT 1)"
    [(mail_id,)] = stack.rows(f"{old} RETURNING id", restored)
    mail = f"SELECT id FROM sent_mails WHERE id = '{mail_id}'"  # noqa: S608
    stack.manage("backup", str(tmp_path / "old.dump"), database=restored).check_returncode()
    kept = tmp_path / "tombstones"
    kept.mkdir()
    stack.manage("load_retention_rules", database=restored).check_returncode()
    settings = {"database": restored, "RETENTION_TOMBSTONE_DIRECTORY": str(kept)}

    purged = stack.manage("purge_expired", **settings)
    gone = stack.rows(mail, restored)
    # One copy serves all purges of a minute, and that minute is over.
    stack.rows(
        "UPDATE outbox_messages SET due_at = now() WHERE topic = 'retention.tombstones_stored' RETURNING id", restored
    )
    copied = (stack.manage("run_due_work", **settings).returncode, len(list(kept.iterdir())))
    back = (_restore(stack, tmp_path / "old.dump", "--force"), stack.rows(mail, restored))
    replayed = stack.manage("purge_expired", "--replay", **settings)
    audited = stack.manage("verify_audit", **settings)

    assert (purged.returncode, gone, copied) == (0, [], (0, 1)), purged.stderr
    assert back == (RESTORED, [(mail_id,)])
    assert (replayed.returncode, stack.rows(mail, restored)) == (0, []), replayed.stderr
    assert audited.returncode == 0, audited.stderr
