"""Whether rows of evidence are still what events vouched for."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat

from mindfulqalb.audit.digests import salted_digest
from mindfulqalb.audit.evidence import content_of, models_by_kind
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.verification.report import Kind
from mindfulqalb.encryption.fields import encrypted_fields
from mindfulqalb.encryption.tokens import CannotOpen, Reason, Sealed, open_

if TYPE_CHECKING:
    from django.db.models import Model

    from mindfulqalb.audit.verification.removals import Removals
    from mindfulqalb.audit.verification.report import Report


class RowCheck:
    """Compares rows with their digests; ciphertext that does not open is tried, at the end, in other people's rows."""

    def __init__(self, report: Report, removals: Removals) -> None:
        """Begin with nothing compared."""
        self._report = report
        self._removals = removals
        self._strangers: list[tuple[str, str, Sealed]] = []

    def check(self, events: list[AuditEvent]) -> None:
        """Compare the rows that these events vouch for."""
        by_kind: dict[str, list[AuditEvent]] = defaultdict(list)
        for event in events:
            by_kind[event.target.partition(":")[0]].append(event)
        for kind, about in by_kind.items():
            if kind in models_by_kind:
                self._check_kind(models_by_kind[kind], about)
            else:
                self._report.add(Kind.FORGED, f"{len(about)} events vouch for {kind}, which is no evidence")

    def settle(self) -> None:
        """Name the owners of strange ciphertext, and the rows that no event knows."""
        for target, row, sealed in self._strangers:
            self._name_stranger(target, row, sealed)
        for kind, model in models_by_kind.items():
            for pk in _unknown_rows(kind, model):
                self._report.add(Kind.FORGED, f"{kind}:{pk} was written, and no event knows of it")

    def _check_kind(self, model: type[Model], events: list[AuditEvent]) -> None:
        pks = {event.target: _pk_in(event.target, model) for event in events}
        rows = model._base_manager.in_bulk([pk for pk in pks.values() if pk is not None])
        for event in events:
            self._report.row_count += 1
            row = rows.get(pks[event.target])
            if row is None:
                self._removals.note_purged(event.target)
            else:
                self._compare(row, event)

    def _compare(self, row: Model, event: AuditEvent) -> None:
        vouched = event.evidence
        try:
            content = content_of(row, vouched["columns"])
        except CannotOpen:
            self._note_strangers(row, event.target)
            return
        except LookupError:
            self._report.add(Kind.ALTERED, f"{event.target} has no longer all of its columns")
            return
        if salted_digest(event.salt or b"", content) != vouched["digest"]:
            self._report.add(Kind.ALTERED, f"{event.target} is not what event {event.id} vouches for")

    def _note_strangers(self, row: Model, target: str) -> None:
        for field in encrypted_fields(type(row)):
            sealed: Any = field.value_from_object(row)
            try:
                if sealed is not None:
                    sealed.open()
            except CannotOpen as error:
                if error.reason == Reason.UNKNOWN_KEY:
                    self._report.add(Kind.ALTERED, f"{target}: {error}")
                else:
                    self._strangers.append((target, str(row.pk), sealed))

    def _name_stranger(self, target: str, row: str, sealed: Sealed) -> None:
        for other, other_row, _ in self._strangers:
            if other_row != row and _opens(sealed, other_row):
                self._report.add(Kind.SWAPPED, f"{sealed.label} of {target} is that of {other}")
                return
        self._report.add(Kind.ALTERED, f"{sealed.label} of {target} was changed, or comes from another row")


def _pk_in(target: str, model: type[Model]) -> Any:
    try:
        return model._meta.pk.to_python(target.partition(":")[2])
    except ValidationError:
        return None


def _opens(sealed: Sealed, row: str) -> bool:
    try:
        open_(sealed.token, label=sealed.label, row=row)
    except CannotOpen:
        return False
    return True


def _unknown_rows(kind: str, model: type[Model]) -> list[Any]:
    target = Concat(Value(f"{kind}:"), Cast("pk", CharField()))
    known = AuditEvent.objects.filter(target=OuterRef("audit_target"))
    return list(model._base_manager.alias(audit_target=target).filter(~Exists(known)).values_list("pk", flat=True))
