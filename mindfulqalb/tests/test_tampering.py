"""The owner of the database tampers with evidence, as cleverly as SQL allows: each way is found, and named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from consent.models import ConsentRecord
from consent.tests.builders import make_consent, publish
from mindfulqalb.audit.checkpoints import certificate_of, certificate_text, take_checkpoint
from mindfulqalb.audit.digests import (
    GENESIS,
    canonical,
    chain_digest,
    head_of,
    payload_of,
    salted_digest,
    sha256_of,
)
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.evidence import guards
from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import erase_payloads, record_purge
from mindfulqalb.audit.tasks import verify
from mindfulqalb.audit.tests.doors import run_sql
from mindfulqalb.audit.tests.keys import make_signing_key, use_signing_key
from mindfulqalb.audit.verification import verify_audit
from mindfulqalb.audit.verification.report import Report
from mindfulqalb.encryption.rotation import reencrypt_chunk
from mindfulqalb.encryption.tests.keys import make_key, use_keys

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from pytest_django import Settings

pytestmark = pytest.mark.django_db

TABLES = ("audit_events", "audit_seals", "audit_checkpoints", "consent_records")
PEOPLE = ("anna", "bela", "chitra", "devi", "esha", "farid")


@pytest.fixture(autouse=True)
def _trail(now: datetime) -> None:
    """Six people's consents, sealed and signed for, and one more that no checkpoint knows yet."""
    publish()
    for person in PEOPLE:
        make_consent(email=f"{person}@example.com", now=now)
    take_checkpoint(now=now)
    make_consent(email="gita@example.com", now=now)
    seal_events(now=now)
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")


def as_owner(*statements: str, parameters: Sequence[Any] = ()) -> None:
    """Do what no trigger hinders, and leave the triggers as they were."""
    for table in TABLES:
        run_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for statement in statements:
        run_sql(statement, list(parameters))
    for table in TABLES:
        run_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def found(copies: Sequence[dict[str, Any]] = ()) -> list[str]:
    """What a verification finds, as `kind: sentence`, sorted."""
    report = Report()
    for _ in verify_audit(report=report, copies=copies):
        pass
    assert report.finding_count == len(report.findings)
    return sorted(f"{finding.kind}: {finding.sentence}" for finding in report.findings)


def event_at(sequence: int) -> AuditEvent:
    return AuditEvent.objects.get(id=AuditSeal.objects.get(sequence=sequence).event_id)


def consent_of(event: AuditEvent) -> ConsentRecord:
    return ConsentRecord.objects.get(id=event.target.removeprefix("consent:"))


def chain_anew() -> None:
    """Compute every seal again from the events that are there, as a tamperer can who has no signing key."""
    sequence, previous = 0, GENESIS
    for seal in AuditSeal.objects.order_by("sequence"):
        event = AuditEvent.objects.filter(id=seal.event_id).first()
        if event is None:
            as_owner("DELETE FROM audit_seals WHERE sequence = %s", parameters=[seal.sequence])
            continue
        sequence += 1
        head = sha256_of(head_of(event))
        previous = chain_digest(sequence, previous, head)
        as_owner(
            "UPDATE audit_seals SET sequence = %s, head_digest = %s, chain_digest = %s WHERE event_id = %s",
            parameters=[sequence, head, previous, event.id],
        )


def rewrite_payload(event: AuditEvent, details: dict[str, Any]) -> None:
    """Change a payload and make its digest fit, keeping the salt."""
    payload = payload_of(event) | {"details": details}
    as_owner(
        "UPDATE audit_events SET details = %s, payload_digest = %s WHERE id = %s",
        parameters=[json.dumps(details), salted_digest(event.salt or b"", payload), event.id],
    )


# Untouched


def test_untouched_trail_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_audit", no_color=True)

    assert capsys.readouterr().out.splitlines() == [
        "7 of 7 events",
        "Nothing was altered or removed: 7 events, 7 rows, 0 gone under a rule, 0 checkpoints from outside",
    ]


def test_rotated_encryption_key_changes_no_evidence(now: datetime, settings: Settings) -> None:
    old = settings.ENCRYPTION_KEY
    use_keys(settings, make_key("new"), old)

    chunk = reencrypt_chunk(model=ConsentRecord, now=now)
    use_keys(settings, make_key("new"))

    assert (chunk.moved_rows, found()) == (7, [])


def test_payload_erased_under_a_rule_leaves_the_chain_valid(now: datetime) -> None:
    erase_payloads(event_ids=[event_at(3).id], rule="IN-consent", actor="system", now=now)
    take_checkpoint(now=now)

    assert (event_at(3).salt, event_at(3).details, event_at(3).evidence, found()) == (None, None, None, [])


def test_row_purged_under_a_rule_is_accounted_for(now: datetime) -> None:
    target = event_at(3).target
    record_purge(targets=[target], rule="IN-consent", actor="system", now=now)
    with open_door("retention"):
        consent_of(event_at(3)).delete()

    assert found() == []


# The eight ways


def test_updated_payload_is_named() -> None:
    event = event_at(3)
    as_owner('UPDATE audit_events SET details = \'{"version": "2020-01-01"}\' WHERE id = %s', parameters=[event.id])

    assert found() == [f"altered: payload of event {event.id}, sealed at 3, was changed"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "staff:1"),
        ("action", "consent.refused"),
        ("target", "consent:1"),
        ("request_id", "x"),
        ("occurred_at", "2020-01-01T00:00:00Z"),
        ("recorded_at", "2126-01-01T00:00:00Z"),
    ],
)
def test_updated_head_is_named(column: str, value: str) -> None:
    event = event_at(3)
    as_owner(f"UPDATE audit_events SET {column} = %s WHERE id = %s", parameters=[value, event.id])  # noqa: S608

    assert f"altered: event {event.id}, sealed at 3, was changed" in found()


def test_updated_payload_with_its_digest_is_named() -> None:
    event = event_at(3)
    rewrite_payload(event, {"version": "2020-01-01"})

    assert found() == [f"altered: event {event.id}, sealed at 3, was changed"]


def test_deleted_middle_is_named() -> None:
    event = event_at(3)
    as_owner("DELETE FROM audit_events WHERE id = %s", parameters=[event.id])

    assert found() == [
        f"deleted: event {event.id}, sealed at 3, is gone",
        f"forged: {event.target} was written, and no event knows of it",
    ]


def test_deleted_middle_with_record_and_seal_is_named() -> None:
    event = event_at(3)
    consent_of(event)
    as_owner(
        "DELETE FROM consent_records WHERE 'consent:' || id = (SELECT target FROM audit_events WHERE id = %s)",
        "DELETE FROM audit_seals WHERE event_id = %s",
        "DELETE FROM audit_events WHERE id = %s",
        parameters=[event.id],
    )

    assert found() == ["deleted: seals 3 to 3 are gone"]


def test_deleted_tail_older_than_the_last_checkpoint_is_named() -> None:
    as_owner(
        "DELETE FROM consent_records WHERE 'consent:' || id IN (SELECT target FROM audit_events"
        " JOIN audit_seals ON event_id = audit_events.id WHERE sequence >= 5)",
        "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE sequence >= 5)",
        "DELETE FROM audit_seals WHERE sequence >= 5",
    )

    assert found() == ["cut off: the chain ends at seal 4, and a checkpoint was signed at 6"]


def test_deleted_tail_with_the_checkpoints_is_named_by_a_copy_outside() -> None:
    copy = certificate_of(AuditCheckpoint.objects.get())
    as_owner(
        "DELETE FROM consent_records WHERE 'consent:' || id IN (SELECT target FROM audit_events"
        " JOIN audit_seals ON event_id = audit_events.id WHERE sequence >= 5)",
        "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE sequence >= 5)",
        "DELETE FROM audit_seals WHERE sequence >= 5",
        "DELETE FROM audit_checkpoints",
    )

    assert found([copy]) == [
        "cut off: the chain ends at seal 4, and a checkpoint was signed at 6",
        "truncated: table audit_checkpoints is empty, and 1 have left the house",
    ]


def test_links_that_changed_places_are_named() -> None:
    three, four = event_at(3), event_at(4)
    as_owner(
        "UPDATE audit_seals SET sequence = -3 WHERE sequence = 3",
        "UPDATE audit_seals SET sequence = 3 WHERE sequence = 4",
        "UPDATE audit_seals SET sequence = 4 WHERE sequence = -3",
    )

    assert found() == [
        f"reordered: event {three.id} at seal 4 has changed places with seal 3",
        f"reordered: event {four.id} at seal 3 has changed places with seal 4",
    ]


@pytest.mark.parametrize("columns", [("event_id",), ("event_id", "head_digest")])
def test_events_that_changed_places_are_named(columns: tuple[str, ...]) -> None:
    two, five = AuditSeal.objects.get(sequence=2), AuditSeal.objects.get(sequence=5)
    as_owner("UPDATE audit_seals SET event_id = %s WHERE sequence = 5", parameters=[uuid4()])
    for sequence, other in ((2, five), (5, two)):
        for column in columns:
            as_owner(
                f"UPDATE audit_seals SET {column} = %s WHERE sequence = %s",  # noqa: S608
                parameters=[getattr(other, column), sequence],
            )

    assert found() == sorted(
        [
            f"reordered: event {five.event_id} at seal 2 has changed places with seal 5",
            f"reordered: event {two.event_id} at seal 5 has changed places with seal 2",
        ]
    )


def test_two_persons_swapped_ciphertext_is_named() -> None:
    one, other = event_at(2), event_at(4)
    as_owner(
        "UPDATE consent_records a SET email_encrypted = b.email_encrypted FROM consent_records b"
        " WHERE (a.id, b.id) IN ((%(one)s, %(other)s), (%(other)s, %(one)s))".replace("%(one)s", "%s").replace(
            "%(other)s", "%s"
        ),
        parameters=[consent_of(one).id, consent_of(other).id, consent_of(other).id, consent_of(one).id],
    )

    assert found() == sorted(
        [
            f"swapped: consent.email of {one.target} is that of {other.target}",
            f"swapped: consent.email of {other.target} is that of {one.target}",
        ]
    )


def test_ciphertext_copied_to_another_person_is_named() -> None:
    one, other = event_at(2), event_at(4)
    as_owner(
        "UPDATE consent_records SET email_encrypted = (SELECT email_encrypted FROM consent_records WHERE id = %s)"
        " WHERE id = %s",
        parameters=[consent_of(one).id, consent_of(other).id],
    )

    assert found() == [f"altered: consent.email of {other.target} was changed, or comes from another row"]


def test_every_append_only_table_is_watched() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE proname = 'refuse_change'"
        )
        tables = {row[0] for row in cursor.fetchall()}

    assert tables == {model._meta.db_table for model in guards()}


@pytest.mark.parametrize("table", [*TABLES, "consent_documents", "receipts", "tombstones"])
@pytest.mark.parametrize("suffix", ["rows", "truncate"])
@pytest.mark.parametrize(
    ("statement", "trouble"),
    [
        ("ALTER TABLE {table} DISABLE TRIGGER {name}", "is disabled"),
        ("ALTER TABLE {table} ENABLE REPLICA TRIGGER {name}", "is disabled"),
        ("DROP TRIGGER {name} ON {table}", "is missing"),
    ],
)
def test_trigger_that_does_not_stand_guard_is_named(table: str, suffix: str, statement: str, trouble: str) -> None:
    name = f"{table}_{suffix}"
    run_sql(statement.format(table=table, name=name))

    assert found() == [f"unguarded: trigger {name} on table {table} {trouble}"]


def test_trigger_that_was_made_anew_to_let_pass_is_named() -> None:
    run_sql("DROP TRIGGER audit_events_rows ON audit_events")
    run_sql(
        "CREATE TRIGGER audit_events_rows BEFORE UPDATE OR DELETE ON audit_events"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION refuse_change()"
    )

    assert found() == [
        "unguarded: trigger audit_events_rows on table audit_events is not the one that the migrations made"
    ]


@pytest.mark.parametrize(
    ("table", "trigger"),
    [
        ("consent_documents", "WHEN (OLD.locale = 'xx') EXECUTE FUNCTION refuse_change()"),
        ("consent_documents", "WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION refuse_change('text')"),
        ("receipts", "EXECUTE FUNCTION refuse_change('content_encrypted', 'amount_minor')"),
    ],
)
def test_trigger_that_guards_less_than_it_did_is_named(table: str, trigger: str) -> None:
    run_sql(f"DROP TRIGGER {table}_rows ON {table}")
    run_sql(f"CREATE TRIGGER {table}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW {trigger}")

    assert found() == [f"unguarded: trigger {table}_rows on table {table} is not the one that the migrations made"]


def test_function_that_was_made_to_let_pass_is_named() -> None:
    run_sql(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
    )

    assert found() == ["unguarded: function refuse_change() is not the one that the migrations made"]


def test_edit_under_a_disabled_trigger_is_named_with_the_trigger() -> None:
    event = event_at(3)
    run_sql("ALTER TABLE audit_events DISABLE TRIGGER audit_events_rows")
    run_sql("UPDATE audit_events SET reason = 'client asked' WHERE id = %s", [event.id])

    assert found() == [
        f"altered: payload of event {event.id}, sealed at 3, was changed",
        "unguarded: trigger audit_events_rows on table audit_events is disabled",
    ]


def test_trail_chained_anew_without_the_signing_key_is_named() -> None:
    rewrite_payload(event_at(3), {"version": "2020-01-01"})
    chain_anew()

    assert found() == ["chained anew: seal 6 is not the one that checkpoint 1 was signed over"]


def test_trail_chained_anew_without_one_event_is_named() -> None:
    as_owner(
        "DELETE FROM consent_records WHERE 'consent:' || id = (SELECT target FROM audit_events WHERE id = %s)",
        "DELETE FROM audit_events WHERE id = %s",
        parameters=[event_at(3).id],
    )
    chain_anew()

    assert found() == ["chained anew: seal 6 is not the one that checkpoint 1 was signed over"]


# And more


def test_checkpoint_forged_over_a_trail_chained_anew_is_named(settings: Settings, now: datetime) -> None:
    copy = certificate_of(AuditCheckpoint.objects.get())
    rewrite_payload(event_at(3), {"version": "2020-01-01"})
    chain_anew()
    ours = settings.AUDIT_SIGNING_KEY
    use_signing_key(settings, make_signing_key())
    as_owner("DELETE FROM audit_checkpoints")
    take_checkpoint(now=now)
    settings.AUDIT_SIGNING_KEY = ours

    assert found([copy]) == [
        "chained anew: seal 6 is not the one that checkpoint 1 was signed over",
        "forged: checkpoint 1 is not signed by a key of ours",
        "forged: checkpoint 1 is not the one that had left the house",
    ]


def test_checkpoint_taken_out_is_named(now: datetime) -> None:
    take_checkpoint(now=now)
    third = take_checkpoint(now=now)
    as_owner("DELETE FROM audit_checkpoints WHERE number = 2")

    assert found([certificate_of(third)]) == ["deleted: checkpoints 2 to 2 are gone"]


def test_newest_checkpoint_taken_out_is_named_by_its_copy(now: datetime) -> None:
    second = take_checkpoint(now=now)
    as_owner("DELETE FROM audit_checkpoints WHERE number = 2")

    assert found([certificate_of(second)]) == ["cut off: checkpoint 2 had left the house and is gone here"]


@pytest.mark.parametrize("copy", [{}, {"statement": []}, {"statement": {"number": 1}, "signature": "00"}])
def test_copy_that_is_none_is_named(copy: dict[str, Any]) -> None:
    assert [line.split(": ")[0] for line in found([copy])] == ["forged"]


def test_seals_truncated_are_named() -> None:
    as_owner("TRUNCATE audit_seals")

    assert found() == ["truncated: table audit_seals is empty, and 6 were signed for"]


def test_events_truncated_are_named() -> None:
    as_owner("TRUNCATE audit_events")

    lines = found()
    assert "truncated: table audit_events is empty, and 7 events are sealed" in lines
    assert sorted({line.split(": ")[0] for line in lines}) == ["forged", "truncated"]  # the records that nobody knows


def test_records_truncated_are_named() -> None:
    as_owner("TRUNCATE consent_records CASCADE")

    assert found() == ["truncated: table consent_records is empty, and events vouch for 7 rows"]


def test_record_deleted_is_named() -> None:
    event = event_at(3)
    as_owner("DELETE FROM consent_records WHERE id = %s", parameters=[consent_of(event).id])

    assert found() == [f"deleted: {event.target} is gone, and no purge names it"]


@pytest.mark.parametrize(
    "change",
    [
        "consent_version = '2020-01-01'",
        "acknowledgments = '[]'",
        "created_at = created_at - interval '1 day'",
        "email_hash = repeat('0', 64)",
        "user_agent = NULL",
        "full_ip_address_encrypted = NULL",
    ],
)
def test_record_altered_is_named(change: str) -> None:
    event = event_at(3)
    as_owner(f"UPDATE consent_records SET {change} WHERE id = %s", parameters=[consent_of(event).id])  # noqa: S608

    assert found() == [f"altered: {event.target} is not what event {event.id} vouches for"]


def test_record_that_was_slipped_in_is_named() -> None:
    forged = uuid4()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copy ON COMMIT DROP AS SELECT * FROM consent_records LIMIT 1")
        cursor.execute("UPDATE copy SET id = %s", [forged])
        cursor.execute("INSERT INTO consent_records SELECT * FROM copy")

    assert found() == [f"forged: consent:{forged} was written, and no event knows of it"]


def slip_in(**columns: Any) -> str:
    """Insert an event by SQL, all digests right."""
    salt = b"x" * 16
    payload: dict[str, Any] = {"details": {}, "evidence": None, "reason": ""}
    event = AuditEvent(actor="client", action="consent.given", target="consent:1", salt=salt, **payload, **columns)
    event.payload_digest = salted_digest(salt, payload)
    event.save(force_insert=True)
    return str(event.id)


def test_event_slipped_in_behind_the_seals_is_named(now: datetime) -> None:
    forged = slip_in(occurred_at=now, transaction_id=1)

    assert found() == [f"forged: event {forged} was slipped in behind the seals"]


def test_event_dated_back_is_named(now: datetime) -> None:
    forged = slip_in(occurred_at=now, recorded_at="2020-01-01T00:00:00Z")
    seal_events(now=now)

    assert found() == [f"forged: event {forged}, sealed at 8, is dated before a checkpoint without it"]


def test_payload_erased_without_a_rule_is_named() -> None:
    event = event_at(3)
    as_owner(
        "UPDATE audit_events SET salt = NULL, details = NULL, evidence = NULL, reason = NULL WHERE id = %s",
        parameters=[event.id],
    )

    assert found() == [f"erased without a rule: payload of event {event.id} is gone, and no erasure names it"]


def test_vouching_for_a_row_that_cannot_be_is_named(now: datetime) -> None:
    for target in ("consent:not-an-id", "unicorn:1"):
        salt = b"x" * 16
        payload: dict[str, Any] = {"details": {}, "evidence": {"columns": [], "digest": ""}, "reason": ""}
        AuditEvent.objects.create(
            actor="client",
            action="consent.given",
            target=target,
            occurred_at=now,
            salt=salt,
            payload_digest=salted_digest(salt, payload),
            **payload,
        )
    seal_events(now=now)

    assert found() == [
        "deleted: consent:not-an-id is gone, and no purge names it",
        "forged: 1 events vouch for unicorn, which is no evidence",
    ]


def test_salted_digest_cannot_be_guessed_from_what_is_left(now: datetime) -> None:
    event = event_at(3)
    payload, digest = payload_of(event), event.payload_digest
    erase_payloads(event_ids=[event.id], rule="IN-consent", actor="system", now=now)

    left = b"".join(canonical(head_of(event_at(sequence))) for sequence in range(1, 8))
    assert digest in left.decode()
    assert salted_digest(b"", payload) != digest
    assert payload["evidence"]["digest"] not in left.decode()


# How it is told


def test_command_names_what_it_found_and_keeps_it(capsys: pytest.CaptureFixture[str]) -> None:
    event = event_at(3)
    as_owner("UPDATE audit_events SET reason = 'x' WHERE id = %s", parameters=[event.id])

    with pytest.raises(CommandError) as error:
        call_command("verify_audit")

    line = f"altered: payload of event {event.id}, sealed at 3, was changed"
    kept = AuditVerification.objects.get()
    assert capsys.readouterr().err.splitlines() == [line]
    assert (str(error.value), kept.finding_count, kept.findings) == (
        "1 findings in 7 events, 7 rows, 0 gone under a rule, 0 checkpoints from outside",
        1,
        [line],
    )


def test_command_takes_copies_from_a_directory(tmp_path: Path, now: datetime) -> None:
    second = take_checkpoint(now=now)
    (tmp_path / "checkpoint-00000002.json").write_text(certificate_text(second))
    as_owner("DELETE FROM audit_checkpoints WHERE number = 2")

    with pytest.raises(CommandError):
        call_command("verify_audit", copies=tmp_path)

    assert AuditVerification.objects.get().findings == ["cut off: checkpoint 2 had left the house and is gone here"]


def test_command_says_that_a_copy_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-00000002.json").write_text("{")

    with pytest.raises(CommandError, match="1 findings in 7 events"):
        call_command("verify_audit", copies=tmp_path)

    assert AuditVerification.objects.get().findings == ["altered: the copy checkpoint-00000002.json cannot be read"]


def test_task_raises_the_alarm(caplog: pytest.LogCaptureFixture) -> None:
    verify()
    quiet = [record.levelname for record in caplog.records]
    as_owner("UPDATE audit_events SET reason = 'x' WHERE id = %s", parameters=[event_at(3).id])
    verify()

    assert (quiet, [(record.levelname, record.getMessage()) for record in caplog.records]) == (
        [],
        [("ERROR", "the audit trail does not verify: 1 findings, see the admin")],
    )
