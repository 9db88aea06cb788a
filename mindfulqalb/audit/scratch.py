"""Empty copies of tables, to measure on: evidence that was written for a measurement could never be taken out again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SCHEMA = "audit_benchmark"


@contextmanager
def scratch_tables(tables: Iterable[str]) -> Iterator[None]:
    """Work on empty copies of `tables`, guarded by the same triggers; they are dropped afterwards."""
    _run(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", f"CREATE SCHEMA {SCHEMA}")
    try:
        for table in tables:
            _copy(table)
        use_scratch_tables()
        yield
    finally:
        _run("SET search_path TO DEFAULT", f"DROP SCHEMA {SCHEMA} CASCADE")


def use_scratch_tables() -> None:
    """Let this thread's connection find the copies first."""
    _run(f"SET search_path TO {SCHEMA}, public")


def _copy(table: str) -> None:
    _run(f"CREATE TABLE {SCHEMA}.{table} (LIKE public.{table} INCLUDING ALL)")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            [f"public.{table}"],
        )
        definitions = [row[0] for row in cursor.fetchall()]
    _run(*(text.replace(f" ON public.{table} ", f" ON {SCHEMA}.{table} ") for text in definitions))


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
