"""Give phones that are kept already their digests, a chunk at a time, beside a live server.

Nothing is remembered between runs: what is left to do has a phone and no digest. Rows that the version before this one
writes while a deployment rolls on are found in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import transaction

from mindfulqalb.encryption.blind_index import phone_digest
from mindfulqalb.encryption.tokens import CannotOpen, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model, QuerySet

CHUNK_ROWS = 500


@dataclass(frozen=True)
class IndexedPhone:
    """A sealed phone, and the column with its digest: a model says so in `phone_columns`."""

    model: type[Model]
    phone: str
    digest: str

    def rows(self, *, anew: bool) -> QuerySet[Model]:
        """Find the rows without a digest; with `anew`, all that have a phone."""
        rows: QuerySet[Model] = self.model._base_manager.filter(**{f"{self.phone}__isnull": False})
        return rows if anew else rows.filter(**{self.digest: ""})


@dataclass(frozen=True)
class Chunk:
    """What one transaction did. `last` is the row id to go on after, None at the end of the table."""

    indexed_rows: int
    unreadable: tuple[CannotOpen, ...]
    last: Any | None


def indexed_phones() -> list[IndexedPhone]:
    """List what is indexed."""
    return [
        IndexedPhone(model, phone, digest)
        for model in apps.get_models()
        if not model._meta.proxy
        for phone, digest in getattr(model, "phone_columns", {}).items()
    ]


def index_phones(*, chunk_rows: int = CHUNK_ROWS, anew: bool = False) -> Iterator[Chunk]:
    """Give every phone its digest; with `anew` those too that have one, as after BLIND_INDEX_KEY has changed."""
    for indexed in indexed_phones():
        chunk = index_chunk(indexed, chunk_rows=chunk_rows, anew=anew)
        yield chunk
        while chunk.last is not None:
            chunk = index_chunk(indexed, chunk_rows=chunk_rows, anew=anew, after=chunk.last)
            yield chunk


def index_chunk(
    indexed: IndexedPhone, *, chunk_rows: int = CHUNK_ROWS, anew: bool = False, after: Any | None = None
) -> Chunk:
    """Index the next rows, by id from `after`, in one short transaction; what another one holds waits for its turn."""
    with transaction.atomic():
        left = indexed.rows(anew=anew).order_by("pk").select_for_update(skip_locked=True)
        left = left if after is None else left.filter(pk__gt=after)
        rows = list(left.values_list("pk", indexed.phone)[:chunk_rows])
        unreadable = [error for pk, sealed in rows if (error := _index(indexed, pk, sealed)) is not None]
    last = rows[-1][0] if len(rows) == chunk_rows else None
    return Chunk(len(rows) - len(unreadable), tuple(unreadable), last)


def _index(indexed: IndexedPhone, pk: Any, sealed: Sealed) -> CannotOpen | None:
    try:
        phone = sealed.bound_to(str(pk)).open()
    except CannotOpen as error:
        return error
    indexed.model._base_manager.filter(pk=pk).update(**{indexed.digest: phone_digest(phone)})
    return None
