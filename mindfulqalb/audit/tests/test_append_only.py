"""The audit trail grows and does nothing else, whoever asks: SQL, the ORM or staff."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.tests.doors import open_door, refused, run_sql
from mindfulqalb.audit.tests.test_services import NOW, make_event
from mindfulqalb.audit.triggers import append_only

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = "audit_events"
STATEMENTS = {
    "UPDATE": "UPDATE audit_events SET actor = 'nobody'",
    "DELETE": "DELETE FROM audit_events",
    "TRUNCATE": "TRUNCATE audit_events",
}


def events() -> list[str]:
    return list(AuditEvent.objects.order_by("occurred_at").values_list("actor", flat=True))


@pytest.mark.django_db
@pytest.mark.parametrize("operation", STATEMENTS)
def test_sql_is_refused(operation: str) -> None:
    make_event()

    with refused(TABLE, operation):
        run_sql(STATEMENTS[operation])

    assert events() == ["system"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("operation", "statement"),
    [
        ("UPDATE", "UPDATE audit_events SET details = details"),
        ("DELETE", "WITH gone AS (DELETE FROM audit_events RETURNING id) SELECT count(*) FROM gone"),
        ("TRUNCATE", "TRUNCATE audit_events RESTART IDENTITY CASCADE"),
        (
            "UPDATE",
            "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (id) DO UPDATE SET actor = 'nobody'",
        ),
    ],
)
def test_sql_in_disguise_is_refused(operation: str, statement: str) -> None:
    make_event()

    with refused(TABLE, operation):
        run_sql(statement)

    assert events() == ["system"]


def _save(event: AuditEvent) -> None:
    event.actor = "nobody"
    event.save()


ORM: dict[str, tuple[str, Callable[[AuditEvent], object]]] = {
    "save": ("UPDATE", _save),
    "update": ("UPDATE", lambda event: AuditEvent.objects.update(actor="nobody")),
    "bulk_update": ("UPDATE", lambda event: AuditEvent.objects.bulk_update([event], ["actor"])),
    "delete": ("DELETE", lambda event: event.delete()),
    "delete all": ("DELETE", lambda event: AuditEvent.objects.all().delete()),
}


@pytest.mark.django_db
@pytest.mark.parametrize("way", ORM)
def test_orm_is_refused(way: str) -> None:
    operation, act = ORM[way]
    event = make_event()

    with refused(TABLE, operation):
        act(event)

    assert events() == ["system"]


@pytest.mark.django_db
@pytest.mark.parametrize("operation", STATEMENTS)
@pytest.mark.parametrize("door", ["", "reencrypt", "Retention", "retention ", "audit"])
def test_only_retention_has_a_door(door: str, operation: str) -> None:
    make_event()
    open_door(door)

    with refused(TABLE, operation):
        run_sql(STATEMENTS[operation])


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "left"), [("UPDATE", ["nobody"]), ("DELETE", []), ("TRUNCATE", [])])
def test_retention_goes_through_its_door(operation: str, left: list[str]) -> None:
    make_event()
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    open_door("retention")

    run_sql(STATEMENTS[operation])

    assert events() == left


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("operation", STATEMENTS)
def test_door_shuts_with_its_transaction(operation: str) -> None:
    make_event(now=NOW - timedelta(days=9000))
    make_event()
    with transaction.atomic():
        open_door("retention")
        erased = run_sql("DELETE FROM audit_events WHERE occurred_at < %s", [NOW])

    with refused(TABLE, operation):
        run_sql(STATEMENTS[operation])

    assert (erased, events()) == (1, ["system"])


@pytest.mark.django_db
def test_migration_can_be_taken_back() -> None:
    make_event()
    for statement in append_only(TABLE, sealed_columns=[]).reverse_sql or ():
        run_sql(str(statement))

    assert run_sql(STATEMENTS["UPDATE"]) == 1
