"""How rows go: deleted, or emptied of whom they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.doors import open_door
from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.encryption.tokens import Sealed, seal

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


def empty_columns(model: type[Model], **values: Any) -> Remover:
    """Make the remover that writes `values` over what stood there; an encrypted column's text is sealed for its row."""
    sealed = {name: values[name] for name in values if _is_sealed(model, name) and values[name] is not None}
    plain = {name: value for name, value in values.items() if name not in sealed}

    def remove(pks: Sequence[Any], removal: Removal) -> None:
        with open_door("retention"):
            for chunk in _chunks(pks, 1 if sealed else CHANGED_AT_ONCE):
                tokens = {name: sealed_for(model, name, text, chunk[0]) for name, text in sealed.items()}
                model._base_manager.filter(pk__in=chunk).update(**plain, **tokens)

    return remove


def detach(model: type[Model], pks: Sequence[Any]) -> None:
    """Let nothing refer to these rows any more, as far as the database minds; what refers to them stays."""
    for relation in model._meta.related_objects:
        name = relation.field.name
        if not (relation.null and getattr(relation.field, "db_constraint", True)):
            continue
        for chunk in _chunks(pks, CHANGED_AT_ONCE):
            relation.related_model._base_manager.filter(**{f"{name}__in": chunk}).update(**{name: None})


def sealed_for(model: type[Model], name: str, text: str, pk: Any) -> Sealed:
    """Seal a text for one column of one row."""
    field = model._meta.get_field(name)
    assert isinstance(field, EncryptedTextField)  # noqa: S101  (for the type checker)
    return Sealed(seal(text, label=field.label, row=str(pk)), field.label, str(pk))


def _is_sealed(model: type[Model], name: str) -> bool:
    return isinstance(model._meta.get_field(name), EncryptedTextField)


def _chunks(pks: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [pks[start : start + size] for start in range(0, len(pks), size)]
