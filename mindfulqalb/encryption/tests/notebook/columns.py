"""What the database really holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from mindfulqalb.encryption.tests.notebook.models import Note


def read_column(note: Note, column: str = "body") -> bytes:
    """Return the bytes in the row of `note`."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT "{column}" FROM notebook_notes WHERE id = %s', [note.id])  # noqa: S608
        return bytes(cursor.fetchone()[0])


def write_column(note: Note, token: bytes | None, column: str = "body") -> None:
    """Put bytes into the row of `note` behind Django's back."""
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE notebook_notes SET "{column}" = %s WHERE id = %s', [token, note.id])  # noqa: S608


def swap_columns(one: Note, other: Note) -> None:
    """Exchange the bodies of two rows."""
    first, second = read_column(one), read_column(other)
    write_column(one, second)
    write_column(other, first)
