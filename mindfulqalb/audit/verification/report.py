"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LONGEST_REPORT = 1000


class Kind(StrEnum):
    """What was done to the audit trail or to a row of evidence."""

    ALTERED = "altered"
    FORGED = "forged"
    DELETED = "deleted"
    ERASED = "erased without a rule"
    CUT = "cut off"
    TRUNCATED = "truncated"
    REORDERED = "reordered"
    SWAPPED = "swapped"
    RECHAINED = "chained anew"
    UNGUARDED = "unguarded"


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit. The sentence names ids, and nothing of a person."""

    kind: Kind
    sentence: str


@dataclass
class Report:
    """What was looked at, and what does not fit; of a great many findings the first are kept, and all are counted."""

    findings: list[Finding] = field(default_factory=list)
    finding_count: int = 0
    event_count: int = 0
    row_count: int = 0
    erased_count: int = 0

    def add(self, kind: Kind, sentence: str) -> None:
        """Note a finding."""
        self.finding_count += 1
        if len(self.findings) < LONGEST_REPORT:
            self.findings.append(Finding(kind, sentence))
