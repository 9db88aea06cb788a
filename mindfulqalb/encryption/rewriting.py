"""Write sealed texts into many rows by one statement, which the ORM cannot.

Its `update()` gives all rows one value, and a token is good for one row alone; its `bulk_update()` would have the
database choose among tokens, which the field refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from psycopg import sql

from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.encryption.tokens import seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Field, Model

REWRITE = "UPDATE {table} AS kept SET {changes} FROM unnest({columns}) AS fresh ({names}) WHERE kept.{pk} = fresh.{pk}"


def rewrite(model: type[Model], texts: Mapping[Any, Mapping[str, str]], **same: Any) -> int:
    """Seal for each row, named by its id, its own `texts`, and write them with `same`, what every row gets.

    All rows name the same fields. Keep them to a hundred or so: it is one statement. Returns how many it changed.
    """
    if not texts:
        return 0
    fields = [_sealed_field(model, name) for name in next(iter(texts.values()))]
    columns = [[seal(row[field.name], label=field.label, row=str(pk)) for pk, row in texts.items()] for field in fields]
    plain = {model._meta.get_field(name): value for name, value in same.items()}
    values = [field.get_db_prep_save(value, connection) for field, value in plain.items()]  # type: ignore[union-attr]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, fields, list(plain)), [*values, list(texts), *columns])
        return int(cursor.rowcount)


def _statement(model: type[Model], sealed: list[Any], plain: list[Any]) -> str:
    pk = model._meta.pk
    changes = [sql.SQL("{} = %s").format(_name(field)) for field in plain]
    changes += [sql.SQL("{0} = fresh.{0}").format(_name(field)) for field in sealed]
    types = [sql.SQL(str(field.db_type(connection))) for field in (pk, *sealed)]
    return (
        sql.SQL(REWRITE)
        .format(
            table=sql.Identifier(model._meta.db_table),
            changes=sql.SQL(", ").join(changes),
            columns=sql.SQL(", ").join(sql.SQL("%s::{}[]").format(kind) for kind in types),
            names=sql.SQL(", ").join(map(_name, (pk, *sealed))),
            pk=_name(pk),
        )
        .as_string()
    )


def _name(field: Field[Any, Any]) -> sql.Identifier:
    return sql.Identifier(str(field.column))


def _sealed_field(model: type[Model], name: str) -> EncryptedTextField[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedTextField):
        raise TypeError(f"{model.__name__}.{name} is not sealed: give it as one of those that every row gets")
    return field
