"""Whether the triggers still stand that make evidence append-only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from mindfulqalb.audit.evidence import guards
from mindfulqalb.audit.triggers import FUNCTION_BODY
from mindfulqalb.audit.verification.report import Kind
from mindfulqalb.encryption.fields import encrypted_fields

if TYPE_CHECKING:
    from django.db.models import Model

    from mindfulqalb.audit.verification.report import Report

# pg_trigger.tgtype: row 1, before 2, delete 8, update 16, truncate 32.
ROWS_TYPE = 1 + 2 + 8 + 16
TRUNCATE_TYPE = 2 + 32


@dataclass(frozen=True)
class Trigger:
    """A trigger as it stands: on which events, before which rows, and what it lets a change of key rewrite."""

    kind: int
    condition: str
    columns: frozenset[str]
    is_ours: bool = True
    is_enabled: bool = True


def check_guards(report: Report) -> None:
    """Name every trigger of an append-only table that is missing, disabled or no longer the one that we made."""
    there = _triggers()
    for model, condition in guards().items():
        table = model._meta.db_table
        for name, expected in _expected(model, condition).items():
            trouble = _trouble(there.get((table, name)), expected)
            if trouble:
                report.add(Kind.UNGUARDED, f"trigger {name} on table {table} {trouble}")
    if _function_body() != _normal(FUNCTION_BODY):
        report.add(Kind.UNGUARDED, "function refuse_change() is not the one that the migrations made")


def _expected(model: type[Model], condition: str) -> dict[str, Trigger]:
    table, sealed = model._meta.db_table, frozenset(str(field.column) for field in encrypted_fields(model))
    return {
        f"{table}_rows": Trigger(ROWS_TYPE, condition, sealed),
        f"{table}_truncate": Trigger(TRUNCATE_TYPE, "", frozenset()),
    }


def _trouble(found: Trigger | None, expected: Trigger) -> str:
    if found is None:
        return "is missing"
    if not found.is_enabled:
        return "is disabled"
    return "" if found == expected else "is not the one that the migrations made"


def _triggers() -> dict[tuple[str, str], Trigger]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, tgname, tgtype, substring(pg_get_triggerdef(pg_trigger.oid) from 'WHEN (.*) EXECUTE '),"
            " encode(tgargs, 'escape'), proname = 'refuse_change' AND tgattr = ''::int2vector, tgenabled IN ('O', 'A')"
            " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        )
        return {
            (table, name): Trigger(kind, condition or "", frozenset(arguments.split(r"\000")) - {""}, ours, enabled)
            for table, name, kind, condition, arguments, ours, enabled in cursor.fetchall()
        }


def _function_body() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regproc('refuse_change')")
        row = cursor.fetchone()
    return _normal(row[0]) if row else ""


def _normal(source: str) -> str:
    return " ".join(source.split())
