"""What is gone, and whether a rule was given for it."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mindfulqalb.audit.actions import ERASED, PURGED
from mindfulqalb.audit.evidence import models_by_kind
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.verification.report import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from mindfulqalb.audit.verification.report import Report


class Removals:
    """Collects what is gone and compares it, at the end, with what removals say of themselves.

    At the end, so that what goes while the trail is being looked through is accounted for too.
    """

    def __init__(self, report: Report) -> None:
        """Begin with nothing gone."""
        self._report = report
        self._erased: list[str] = []
        self._purged: list[str] = []

    def note_erased(self, event_id: UUID) -> None:
        """Note an event without its payload."""
        self._erased.append(str(event_id))

    def note_purged(self, target: str) -> None:
        """Note a row that an event vouches for and that is gone."""
        self._purged.append(target)

    def settle(self) -> None:
        """Name what is gone without a rule."""
        unexcused = self._left(self._erased, ERASED, "events")
        for event_id in unexcused:
            self._report.add(Kind.ERASED, f"payload of event {event_id} is gone, and no erasure names it")
        missing = self._left(self._purged, PURGED, "targets")
        self._name_missing(missing)
        gone = len(self._erased) + len(self._purged)
        self._report.erased_count += gone - len(unexcused) - len(missing)

    def _name_missing(self, targets: list[str]) -> None:
        by_kind: dict[str, list[str]] = defaultdict(list)
        for target in targets:
            by_kind[target.partition(":")[0]].append(target)
        for kind, missing in by_kind.items():
            model = models_by_kind[kind]
            if model._base_manager.exists():
                for target in missing:
                    self._report.add(Kind.DELETED, f"{target} is gone, and no purge names it")
            else:
                table = model._meta.db_table
                self._report.add(Kind.TRUNCATED, f"table {table} is empty, and events vouch for {len(missing)} rows")

    def _left(self, gone: list[str], action: str, name: str) -> list[str]:
        if not gone:
            return []
        left = dict.fromkeys(gone)
        for named in _named(action, name):
            left.pop(named, None)
        return list(left)


def _named(action: str, name: str) -> Iterator[str]:
    removals = AuditEvent.objects.filter(action=action).values_list("details", flat=True)
    for details in removals.iterator(chunk_size=100):
        yield from (details or {}).get(name, ())
