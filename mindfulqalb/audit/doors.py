"""Open the doors that the triggers of append-only tables know."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_door(name: str) -> Iterator[None]:
    """Open one door within this transaction, and leave it as it was before."""
    before = _set_door(name)
    yield
    _set_door(before)


def _set_door(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('mindfulqalb.door', true), '')")
        before = str(cursor.fetchone()[0])
        cursor.execute("SELECT set_config('mindfulqalb.door', %s, true)", [name])
    return before
