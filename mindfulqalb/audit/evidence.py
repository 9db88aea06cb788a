"""Rows that have to be provable: which models they are, and what of a row its digest covers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.apps import apps

from mindfulqalb.audit.digests import salted_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import Model

    ModelClass = TypeVar("ModelClass", bound=type[Model])

models_by_kind: dict[str, type[Model]] = {}
conditions_by_model: dict[type[Model], str] = {}


def evidence(kind: str) -> Callable[[ModelClass], ModelClass]:
    """Mark a model as evidence: its table is append-only, and the events about `kind:<id>` vouch for its rows."""

    def register(model: ModelClass) -> ModelClass:
        if models_by_kind.setdefault(kind, model)._meta.label != model._meta.label:
            raise ValueError(f"the kind {kind!r} already belongs to {models_by_kind[kind]._meta.label}")
        return model

    return register


def guarded(*, condition: str = "") -> Callable[[ModelClass], ModelClass]:
    """Mark a model whose table is append-only without being evidence, as the migrations made it.

    `condition` says which rows its trigger guards, in PostgreSQL's own spelling; "" for all.
    """

    def register(model: ModelClass) -> ModelClass:
        conditions_by_model[model] = condition
        return model

    return register


def evidence_tables() -> list[str]:
    """List the tables that a verification reads: the audit trail's own, and those of evidence."""
    return [model._meta.db_table for model in _models_of_evidence()]


def guards() -> dict[type[Model], str]:
    """Return each model whose table must be append-only, with the condition of its trigger."""
    return dict.fromkeys(_models_of_evidence(), "") | conditions_by_model


def _models_of_evidence() -> list[type[Model]]:
    return [*apps.get_app_config("audit").get_models(), *models_by_kind.values()]


def vouch_for(row: Model, *, salt: bytes) -> dict[str, Any]:
    """Digest every column, sealed ones by their plaintext: a change of key must not look like a change of content.

    The columns are named beside it, so that columns added later do not make older rows look altered.
    """
    columns = list(_names_by_column(type(row)))
    return {"columns": columns, "digest": salted_digest(salt, content_of(row, columns))}


def content_of(row: Model, columns: Iterable[str]) -> dict[str, Any]:
    """Return the columns in clear. Raises CannotOpen, and LookupError for a column that is no more."""
    names = _names_by_column(type(row))
    return {column: getattr(row, names[column]) for column in columns}


@cache
def _names_by_column(model: type[Model]) -> dict[str, str]:
    return {str(field.column): field.attname for field in model._meta.concrete_fields}
