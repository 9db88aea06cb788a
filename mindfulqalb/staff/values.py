"""Filters that offer the values in use without reading a long table to know them, and that speak in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import connection
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Field

EVERY_ROW = sql.SQL("TRUE")
# PostgreSQL does not skip from value to value by itself: https://wiki.postgresql.org/wiki/Loose_indexscan
DISTINCT = """
WITH RECURSIVE found AS (
    (SELECT {column} AS value FROM {table} WHERE {condition} ORDER BY {column} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM {table} WHERE {column} > found.value AND {condition} ORDER BY {column} LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL
"""


class ValuesFilter(admin.AllValuesFieldListFilter):
    """Offers each value that a column has; an index must begin with the column. A partial one: `condition` names it."""

    condition: ClassVar[sql.SQL] = EVERY_ROW
    label: Callable[[str], str] = staticmethod(str)

    def __init__(self, field: Field[Any, Any], *place: Any, **named: Any) -> None:
        """Find the values anew for each page."""
        super().__init__(field, *place, **named)
        self.lookup_choices: Any = distinct_values(field, self.condition)

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Offer them in words, after "All"."""
        every, *others = super().choices(changelist)
        yield every
        for choice in others:
            yield {**choice, "display": self.label(str(choice["display"]))}


def values_called(label: Callable[[str], str]) -> type[ValuesFilter]:
    """Make such a filter that calls its values by `label`."""
    return type("NamedValuesFilter", (ValuesFilter,), {"label": staticmethod(label)})


def whether(title: str, *, empty: str, filled: str) -> type[admin.EmptyFieldListFilter]:
    """Make the filter that tells rows with an empty column from the others, and says what that means."""

    class Whether(admin.EmptyFieldListFilter):
        def __init__(self, *place: Any, **named: Any) -> None:
            super().__init__(*place, **named)
            self.title = title

        def choices(self, changelist: Any) -> Iterator[Any]:
            displays = ("All", empty, filled)
            for choice, display in zip(super().choices(changelist), displays, strict=True):
                yield {**choice, "display": display}

    return Whether


def distinct_values(field: Field[Any, Any], condition: sql.SQL = EVERY_ROW) -> list[Any]:
    """List the values of a column in order, by as many steps in its index as there are values."""
    table, column = sql.Identifier(field.model._meta.db_table), sql.Identifier(str(field.column))
    query = sql.SQL(DISTINCT).format(table=table, column=column, condition=condition)
    with connection.cursor() as cursor:
        cursor.execute(query.as_string())
        return [value for (value,) in cursor.fetchall()]
