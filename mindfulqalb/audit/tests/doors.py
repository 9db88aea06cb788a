"""What tests of append-only tables do to them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

RESTRICT_VIOLATION = "23001"


def run_sql(statement: str, parameters: list[Any] | None = None) -> int:
    """Run one statement and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def open_door(name: str) -> None:
    """Open a door for the rest of this transaction."""
    run_sql("SELECT set_config('mindfulqalb.door', %s, true)", [name])


@contextmanager
def refused(table: str, operation: str) -> Iterator[None]:
    """Expect the database to refuse what the block does, in a transaction of its own."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        yield
    diagnosis = error.value.__cause__.diag  # type: ignore[union-attr]
    assert (diagnosis.sqlstate, diagnosis.message_primary) == (
        RESTRICT_VIOLATION,
        f"{table} is append-only: {operation} refused",
    )
