"""Move sealed values to the writing key, a chunk at a time, beside a live server.

Nothing is remembered between runs: what is left to do is found by the key id inside the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.models import BinaryField, ExpressionWrapper, F, Q
from django.db.models.functions import Substr

from mindfulqalb.audit.services import record
from mindfulqalb.encryption.fields import encrypted_fields, encrypted_models
from mindfulqalb.encryption.keyring import KEY_ID_BYTES, keyring
from mindfulqalb.encryption.tokens import VERSION, CannotOpen, Sealed, seal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from django.db.models import Model, QuerySet

CHUNK_ROWS = 200


@dataclass(frozen=True)
class Chunk:
    """What one transaction did. `last` is the row id to go on after, None at the end of the table."""

    moved_rows: int
    unreadable: tuple[CannotOpen, ...]
    last: Any | None


def reencrypt(*, now: datetime, chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Move all that can be moved, pass after pass, until a pass moves nothing.

    A row that another transaction holds is skipped, and found by the next pass or the next run.
    """
    moved_rows = -1
    while moved_rows:
        moved_rows = 0
        for model in encrypted_models():
            for chunk in _chunks(model, chunk_rows, now):
                moved_rows += chunk.moved_rows
                yield chunk


def reencrypt_chunk(
    *, model: type[Model], now: datetime, after: Any | None = None, chunk_rows: int = CHUNK_ROWS
) -> Chunk:
    """Move the next rows of `model`, by id from `after`, in one short transaction that leaves an audit event.

    Raises RuntimeError inside another transaction, in which the door would stay open.
    """
    names = [field.name for field in encrypted_fields(model)]
    with transaction.atomic(durable=True):
        open_reencryption_door()
        left = outdated_rows(model).order_by("pk").select_for_update(skip_locked=True)
        left = left if after is None else left.filter(pk__gt=after)
        rows = list(left.values_list("pk", *names)[:chunk_rows])
        moves = [_move_row(model, pk, dict(zip(names, values, strict=True))) for pk, *values in rows]
        moved_rows = sum(moved for moved, _ in moves)
        if moved_rows:
            _record_move(model, moved_rows, now)
    unreadable = tuple(error for _, errors in moves for error in errors)
    return Chunk(moved_rows, unreadable, last=rows[-1][0] if len(rows) == chunk_rows else None)


def outdated_rows(model: type[Model]) -> QuerySet[Model]:
    """Return the rows that hold a value under another key than the writing one."""
    return _rows_not_under({keyring().writing}, model)


def unknown_key_rows(model: type[Model]) -> QuerySet[Model]:
    """Return the rows that hold a value under a key that is not configured."""
    return _rows_not_under(keyring().masters, model)


def swap_tokens(*, model: type[Model], pk: Any, swaps: dict[str, tuple[Sealed, Sealed]]) -> bool:
    """Replace (old, new) by field name, only if the row still holds every old one; say whether it did."""
    held = {f"held_{name}": ExpressionWrapper(F(name), output_field=BinaryField()) for name in swaps}
    unchanged = {f"held_{name}": old.token for name, (old, _) in swaps.items()}
    row: QuerySet[Model] = model._base_manager.filter(pk=pk).alias(**held).filter(**unchanged)
    return row.update(**{name: new for name, (_, new) in swaps.items()}) == 1


def open_reencryption_door() -> None:
    """Let append-only tables take new ciphertext until the end of this transaction; their triggers ask for this."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('mindfulqalb.door', 'reencrypt', true)")


def _chunks(model: type[Model], chunk_rows: int, now: datetime) -> Iterator[Chunk]:
    chunk = reencrypt_chunk(model=model, chunk_rows=chunk_rows, now=now)
    yield chunk
    while chunk.last is not None:
        chunk = reencrypt_chunk(model=model, after=chunk.last, chunk_rows=chunk_rows, now=now)
        yield chunk


def _move_row(model: type[Model], pk: Any, values: dict[str, Sealed | None]) -> tuple[bool, list[CannotOpen]]:
    swaps: dict[str, tuple[Sealed, Sealed]] = {}
    unreadable = []
    for name, value in values.items():
        if value is None or value.key_id == keyring().writing:
            continue
        try:
            swaps[name] = (value, _resealed(value, row=str(pk)))
        except CannotOpen as error:
            unreadable.append(error)
    return bool(swaps) and swap_tokens(model=model, pk=pk, swaps=swaps), unreadable


def _resealed(value: Sealed, *, row: str) -> Sealed:
    text = value.bound_to(row).open()
    return Sealed(seal(text, label=value.label, row=row), value.label, row)


def _record_move(model: type[Model], rows: int, now: datetime) -> None:
    record(
        action="encryption.reencrypted",
        actor="system",
        target=f"model:{model._meta.label_lower}",
        details={"rows": rows, "key": keyring().writing.hex()},
        now=now,
    )


def _rows_not_under(key_ids: Collection[bytes], model: type[Model]) -> QuerySet[Model]:
    names = [field.name for field in encrypted_fields(model)]
    held = {f"key_id_{name}": _key_id_of(name) for name in names}
    condition = Q(pk__in=[])
    for alias in held:
        condition |= ~Q(**{f"{alias}__in": list(key_ids)})
    rows: QuerySet[Model] = model._base_manager.alias(**held).filter(condition)
    return rows


def _key_id_of(name: str) -> Substr:
    column = ExpressionWrapper(F(name), output_field=BinaryField())
    return Substr(column, len(VERSION) + 1, KEY_ID_BYTES, output_field=BinaryField())
