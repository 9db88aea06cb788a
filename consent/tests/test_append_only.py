"""Evidence grows and does nothing else; two doors let retention and key rotation through, and no more of either."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from consent.models import ConsentDocument, ConsentRecord
from consent.tests.builders import HERE, NOW, make_consent, make_document, publish
from mindfulqalb.audit.tests.doors import open_door, refused, run_sql
from mindfulqalb.encryption.fields import encrypted_fields
from mindfulqalb.encryption.rotation import outdated_rows, reencrypt_chunk
from mindfulqalb.encryption.tests.keys import make_key, use_keys
from mindfulqalb.encryption.tokens import seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

RECORDS, DOCUMENTS = "consent_records", "consent_documents"
UPDATES = {
    RECORDS: "UPDATE consent_records SET consent_version = 'x'",
    DOCUMENTS: "UPDATE consent_documents SET text = 'x'",
}
REFUSED = [
    *((RECORDS, operation) for operation in ("UPDATE", "DELETE", "TRUNCATE")),
    *((DOCUMENTS, operation) for operation in ("UPDATE", "DELETE", "TRUNCATE")),
]
SEALED = tuple(field.column for field in encrypted_fields(ConsentRecord))


@pytest.fixture
def consent(db: None) -> ConsentRecord:
    publish()
    made = make_consent()
    # TRUNCATE waits for the checks of foreign keys that this transaction still owes.
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    return made


def statement(table: str, operation: str) -> str:
    return {
        "UPDATE": UPDATES[table],
        "DELETE": f"DELETE FROM {table}",  # noqa: S608
        # Django creates foreign keys to both tables: without CASCADE they would be what refuses.
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[operation]


def rows() -> list[Any]:
    """Everything in both tables."""
    every = "SELECT to_jsonb(r) FROM consent_records r UNION ALL SELECT to_jsonb(d) FROM consent_documents d"
    with connection.cursor() as cursor:
        cursor.execute(every)
        return [json.loads(row) for (row,) in cursor.fetchall()]


@pytest.mark.usefixtures("consent")
@pytest.mark.parametrize(("table", "operation"), REFUSED)
def test_sql_is_refused(table: str, operation: str) -> None:
    before = rows()

    with refused(table, operation):
        run_sql(statement(table, operation))

    assert rows() == before


def _save(consent: ConsentRecord) -> None:
    consent.is_flagged = True
    consent.save()


def _publish_over(consent: ConsentRecord) -> None:
    document = ConsentDocument.objects.get()
    document.text += "One more sentence."
    document.save()


ORM: dict[str, tuple[str, str, Callable[[ConsentRecord], object]]] = {
    "save": (RECORDS, "UPDATE", _save),
    "update": (RECORDS, "UPDATE", lambda consent: ConsentRecord.objects.update(email_hash="x")),
    "bulk_update": (RECORDS, "UPDATE", lambda consent: ConsentRecord.objects.bulk_update([consent], ["method"])),
    "delete": (RECORDS, "DELETE", lambda consent: consent.delete()),
    "delete all": (RECORDS, "DELETE", lambda consent: ConsentRecord.objects.all().delete()),
    "save document": (DOCUMENTS, "UPDATE", _publish_over),
    "update documents": (DOCUMENTS, "UPDATE", lambda consent: ConsentDocument.objects.update(sha256="x")),
    "raw delete": (DOCUMENTS, "DELETE", lambda consent: ConsentDocument.objects.all()._raw_delete("default")),
}


@pytest.mark.parametrize("way", ORM)
def test_orm_is_refused(way: str, consent: ConsentRecord) -> None:
    table, operation, act = ORM[way]
    before = rows()

    with refused(table, operation):
        act(consent)

    assert rows() == before


@pytest.mark.usefixtures("consent")
@pytest.mark.parametrize(("table", "operation"), REFUSED)
def test_unknown_doors_lead_nowhere(table: str, operation: str) -> None:
    open_door("migration")

    with refused(table, operation):
        run_sql(statement(table, operation))


@pytest.mark.django_db(transaction=True)
def test_retention_erases_what_has_expired_and_shuts_its_door_behind_it() -> None:
    publish()
    make_consent(now=NOW - timedelta(days=400))
    kept = make_consent()
    with transaction.atomic():
        open_door("retention")
        erased = run_sql("DELETE FROM consent_records WHERE expires_at < %s", [kept.expires_at])

    for table, operation in REFUSED:
        with refused(table, operation):
            run_sql(statement(table, operation))
    assert (erased, list(ConsentRecord.objects.all())) == (1, [kept])


def test_reencryption_moves_sealed_values_and_leaves_the_evidence_as_it_was(
    consent: ConsentRecord, settings: Settings
) -> None:
    before = [{name: value for name, value in row.items() if name not in SEALED} for row in rows()]
    use_keys(settings, make_key("new"), settings.ENCRYPTION_KEY)

    chunk = reencrypt_chunk(model=ConsentRecord, now=NOW)

    after = [{name: value for name, value in row.items() if name not in SEALED} for row in rows()]
    moved = ConsentRecord.objects.get()
    assert (chunk.moved_rows, after, outdated_rows(ConsentRecord).count()) == (1, before, 0)
    assert (moved.email, moved.full_ip_address) == ("jane@example.com", HERE.address)


@pytest.mark.parametrize(
    "column", [field.column for field in ConsentRecord._meta.concrete_fields if field.column not in SEALED]
)
def test_reencryption_changes_no_other_column(column: str, consent: ConsentRecord) -> None:
    identities = dict.fromkeys(("id", "refers_to_id", "part_of_id", "notice_id"), "gen_random_uuid()")
    changed = {"acknowledgments": "'[]'", "is_flagged": "true", "document_id": "NULL"} | identities
    value = "now()" if column in {"created_at", "expires_at", "valid_until"} else changed.get(column, "'x'")
    open_door("reencrypt")

    with refused(RECORDS, "UPDATE"):
        run_sql(f"UPDATE consent_records SET {column} = {value}")  # noqa: S608


def test_reencryption_does_not_carry_another_change_along(consent: ConsentRecord) -> None:
    token = seal("jane@example.com", label="consent.email", row=str(consent.id))
    open_door("reencrypt")

    with refused(RECORDS, "UPDATE"):
        run_sql("UPDATE consent_records SET email_encrypted = %s, consent_version = 'x'", [token])
    assert run_sql("UPDATE consent_records SET email_encrypted = %s", [token]) == 1


@pytest.mark.usefixtures("consent")
@pytest.mark.parametrize(("table", "operation"), [case for case in REFUSED if case != (RECORDS, "UPDATE")])
def test_reencryption_neither_erases_nor_touches_documents(table: str, operation: str) -> None:
    open_door("reencrypt")

    with refused(table, operation):
        run_sql(statement(table, operation))


def test_draft_may_change_and_go_until_it_is_published(consent: ConsentRecord) -> None:
    draft = make_document(version="2026-12-24", locale="en", published_at=None)
    ConsentDocument.objects.filter(id=draft.id).update(title="Better words")

    with refused(DOCUMENTS, "UPDATE"):
        ConsentDocument.objects.update(title="All of them")

    assert ConsentDocument.objects.filter(id=draft.id).delete()[0] == 1


def test_published_document_does_not_become_a_draft_again(consent: ConsentRecord) -> None:
    with refused(DOCUMENTS, "UPDATE"):
        ConsentDocument.objects.update(published_at=None)


@pytest.mark.usefixtures("consent")
def test_document_is_not_published_without_its_digest() -> None:
    draft = make_document(version="2026-12-24", locale="en", published_at=None)

    with pytest.raises(IntegrityError, match="consent_document_published_digest"), transaction.atomic():
        ConsentDocument.objects.filter(id=draft.id).update(published_at=NOW, sha256="")
