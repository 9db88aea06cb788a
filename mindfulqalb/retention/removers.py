"""How rows go: deleted, or emptied of whom they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.doors import open_door
from mindfulqalb.encryption.fields import encrypted_fields
from mindfulqalb.encryption.rewriting import rewrite
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.states import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Model

    from mindfulqalb.retention.registry import Removal, Remover

# A row that changes is written anew in every index of its table: 500 bookings took half a second on a busy machine.
CHANGED_AT_ONCE = 100


def delete_rows(model: type[Model]) -> Remover:
    """Make the remover that deletes rows, and what is nothing without them."""

    def remove(pks: Sequence[Any], removal: Removal) -> None:
        model._base_manager.filter(pk__in=pks).delete()

    return remove


def keep_whole(kind: str, model: type[Model], *, since: str, **traits: Any) -> Retained:
    """Register a kind of record whose rows are kept as they are, and then deleted; `traits` as `Retained` has them."""
    return keep(Retained(kind=kind, model=model, since=since, actions={Action.ERASE: delete_rows(model)}, **traits))


def empty_columns(model: type[Model], **values: Any) -> Remover:
    """Make the remover that writes `values` over what stood there; an encrypted column's text is sealed for its row."""
    encrypted = {field.name for field in encrypted_fields(model)}
    texts = {name: values[name] for name in encrypted & set(values) if values[name] is not None}
    plain = {name: value for name, value in values.items() if name not in texts}

    def remove(pks: Sequence[Any], removal: Removal) -> None:
        with open_door("retention"):
            for chunk in chunks(pks, CHANGED_AT_ONCE):
                if texts:
                    rewrite(model, dict.fromkeys(chunk, texts), **plain)
                else:
                    model._base_manager.filter(pk__in=chunk).update(**plain)

    return remove


def detach(model: type[Model], pks: Sequence[Any]) -> None:
    """Let nothing refer to these rows any more, as far as the database minds; what refers to them stays."""
    for relation in model._meta.related_objects:
        name = relation.field.name
        if not (relation.null and getattr(relation.field, "db_constraint", True)):
            continue
        for chunk in chunks(pks, CHANGED_AT_ONCE):
            relation.related_model._base_manager.filter(**{f"{name}__in": chunk}).update(**{name: None})


def chunks(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """Cut into pieces of at most `size`, so that no statement has more to do."""
    return [items[start : start + size] for start in range(0, len(items), size)]
