"""Whether the triggers still stand that make evidence append-only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from mindfulqalb.audit.evidence import guarded_tables
from mindfulqalb.audit.triggers import FUNCTION_BODY
from mindfulqalb.audit.verification.report import Kind

if TYPE_CHECKING:
    from mindfulqalb.audit.verification.report import Report

# pg_trigger.tgtype: row 1, before 2, delete 8, update 16, truncate 32.
EXPECTED_TYPES = {"rows": 1 + 2 + 8 + 16, "truncate": 2 + 32}
ENABLED = {"O", "A"}


def check_guards(report: Report) -> None:
    """Name every trigger of an append-only table that is missing, disabled or no longer the one that we made."""
    there = _triggers()
    for table in guarded_tables():
        for suffix, kind in EXPECTED_TYPES.items():
            name = f"{table}_{suffix}"
            trouble = _trouble(there.get((table, name)), kind)
            if trouble:
                report.add(Kind.UNGUARDED, f"trigger {name} on table {table} {trouble}")
    if _function_body() != _normal(FUNCTION_BODY):
        report.add(Kind.UNGUARDED, "function refuse_change() is not the one that the migrations made")


def _trouble(found: tuple[str, int, bool] | None, kind: int) -> str:
    if found is None:
        return "is missing"
    enabled, found_kind, is_ours = found
    if enabled not in ENABLED:
        return "is disabled"
    return "" if is_ours and found_kind == kind else "is not the one that the migrations made"


def _triggers() -> dict[tuple[str, str], tuple[str, int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, tgname, tgenabled, tgtype,"
            " proname = 'refuse_change' AND tgqual IS NULL AND tgattr = ''::int2vector"
            " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
            " WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
        )
        return {(table, name): (enabled, kind, ours) for table, name, enabled, kind, ours in cursor.fetchall()}


def _function_body() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regproc('refuse_change')")
        row = cursor.fetchone()
    return _normal(row[0]) if row else ""


def _normal(source: str) -> str:
    return " ".join(source.split())
