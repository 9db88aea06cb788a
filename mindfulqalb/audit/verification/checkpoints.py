"""The signed words on the chain: our own, and the copies that had left the house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.checkpoints import certificate_of, is_genuine, statement_of
from mindfulqalb.audit.digests import GENESIS, sha256_of
from mindfulqalb.audit.models import AuditCheckpoint
from mindfulqalb.audit.verification.report import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mindfulqalb.audit.verification.report import Report


class CheckpointBook:
    """What genuine checkpoints say of the chain."""

    def __init__(self, report: Report) -> None:
        """Begin empty."""
        self._report = report
        self._ours: dict[int, dict[str, Any]] = {}
        self.said: dict[int, list[dict[str, Any]]] = {}

    @property
    def reach(self) -> int:
        """The last seal that a genuine checkpoint knows of."""
        return max(self.said, default=0)

    def read(self, copies: Sequence[Mapping[str, Any]]) -> None:
        """Read the table, then the copies, and name what contradicts itself."""
        previous, expected = GENESIS, 1
        for checkpoint in AuditCheckpoint.objects.order_by("number"):
            statement = statement_of(checkpoint)
            self._check_place(statement, expected, previous)
            self._take(certificate_of(checkpoint), f"checkpoint {checkpoint.number}")
            self._ours[checkpoint.number] = statement
            previous, expected = sha256_of(statement), checkpoint.number + 1
        if copies and not self._ours:
            self._report.add(Kind.TRUNCATED, f"table audit_checkpoints is empty, and {len(copies)} have left the house")
        for copy in copies:
            self._compare(copy)

    def _check_place(self, statement: dict[str, Any], expected: int, previous: str) -> None:
        number = statement["number"]
        if number != expected:
            self._report.add(Kind.DELETED, f"checkpoints {expected} to {number - 1} are gone")
        elif statement["previous"] != previous:
            self._report.add(Kind.FORGED, f"checkpoint {number} does not follow from the one before")

    def _take(self, certificate: Mapping[str, Any], name: str) -> bool:
        if not is_genuine(certificate):
            self._report.add(Kind.FORGED, f"{name} is not signed by a key of ours")
            return False
        statement = certificate["statement"]
        self.said.setdefault(statement["sequence"], []).append(statement)
        return True

    def _compare(self, copy: Mapping[str, Any]) -> None:
        if "unreadable" in copy:
            self._report.add(Kind.ALTERED, f"the copy {copy['unreadable']} cannot be read")
            return
        statement = copy.get("statement")
        number = statement.get("number") if isinstance(statement, dict) else None
        if not self._take(copy, f"the copy of checkpoint {number}") or not self._ours:
            return
        if number not in self._ours:
            self._report.add(Kind.CUT, f"checkpoint {number} had left the house and is gone here")
        elif self._ours[number] != copy["statement"]:
            self._report.add(Kind.FORGED, f"checkpoint {number} is not the one that had left the house")
