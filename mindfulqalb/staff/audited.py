"""Admin forms whose edits are audit events: who changed what of which row, from what and to what."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import transaction
from django.db.models import Manager, Model, QuerySet
from django.utils import timezone

from mindfulqalb.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.forms import BaseModelForm
    from django.http import HttpRequest

LONGEST_VALUE = 200


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Records each edit in its transaction. Of fields that `on_record` does not list, only the name is recorded."""

    kind: str  # of the row, in the event's target
    on_record: ClassVar[Sequence[str]] = ()

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        """Record what the forms have saved: Django calls this once after each save, a new password's included."""
        rows = {"": [form], **{formset.prefix: formset.forms for formset in formsets or ()}}
        changes = {name: self._changes(forms) for name, forms in rows.items()}
        details: dict[str, Any] = {name: found for name, found in changes.items() if name and found}
        details |= {"changes": next(iter(changes[""]), {}).get("changes", {})}
        if details["changes"] or len(details) > 1:
            self._record("added" if add else "changed", _row_of(form), request, details)
        return super().construct_change_message(request, form, formsets, add)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Record what goes."""
        with transaction.atomic():
            self._record("deleted", obj, request, {"row": self._row(obj)})
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Record what goes, row by row."""
        with transaction.atomic():
            for row in queryset:
                self._record("deleted", row, request, {"row": self._row(row)})
            super().delete_queryset(request, queryset)

    def _record(self, what: str, row: Any, request: HttpRequest, details: dict[str, Any]) -> None:
        actor, now = f"staff:{request.user.pk}", timezone.now()
        record(action=f"{self.kind}.{what}", actor=actor, target=f"{self.kind}:{row.pk}", details=details, now=now)

    def _changes(self, forms: Iterable[BaseModelForm[Any]]) -> list[dict[str, Any]]:
        return [
            # A row that was deleted has lost its id; the browser had sent it.
            {"id": str(form[form.instance._meta.pk.name].value()), "deleted": self._initial(form)}
            if form.cleaned_data.get("DELETE")
            else {"id": str(_row_of(form).pk), "changes": self._changed(form)}
            for form in forms
            if form.has_changed()
        ]

    def _changed(self, form: BaseModelForm[Any]) -> dict[str, Any]:
        return {
            name: {"before": _spelt(form.initial.get(name)), "after": _spelt(form.cleaned_data.get(name))}
            if name in self.on_record
            else "changed"
            for name in form.changed_data
        }

    def _initial(self, form: BaseModelForm[Any]) -> dict[str, Any]:
        return {name: _spelt(value) for name, value in form.initial.items() if name in self.on_record}

    def _row(self, row: Model) -> dict[str, Any]:
        return {
            field.name: _spelt(field.value_from_object(row))
            for field in row._meta.concrete_fields
            if field.name in self.on_record
        }


def _row_of(form: Any) -> Any:
    return form.instance if hasattr(form, "instance") else form.user  # the form of a new password has no instance


def _spelt(value: Any) -> Any:
    """Spell a value for the trail: rows by their ids, and what is long by its digest."""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, QuerySet | Manager | set):
        return sorted(_spelt(item) for item in (value if isinstance(value, set) else value.all()))
    if isinstance(value, list):
        return sorted(_spelt(item) for item in value) if _are_rows(value) else _short(str(value))
    return value if value is None or isinstance(value, bool | int) else _short(str(value))


def _are_rows(values: list[Any]) -> bool:
    return all(isinstance(item, Model) for item in values)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
