"""Tell links that have changed places from links that were changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindfulqalb.audit.digests import GENESIS, chain_digest
from mindfulqalb.audit.verification.report import Kind

if TYPE_CHECKING:
    from mindfulqalb.audit.models import AuditSeal
    from mindfulqalb.audit.verification.report import Report

# Every broken link is tried in every broken place; among more of them only the breaking itself is named.
MOST_TRIED = 50


@dataclass(frozen=True)
class Broken:
    """A link whose digest does not follow from the link before it."""

    seal: AuditSeal
    previous: str


class Places:
    """Collects what does not fit, and says at the end what has happened to it."""

    def __init__(self, report: Report) -> None:
        """Begin with nothing out of place."""
        self._report = report
        self._broken: list[Broken] = []
        self._unlike: list[tuple[AuditSeal, str]] = []

    def note_broken(self, seal: AuditSeal, *, previous: str) -> None:
        """Note a link that does not follow from the one before."""
        self._broken.append(Broken(seal, previous))

    def note_event(self, seal: AuditSeal, *, actual: str) -> None:
        """Note the digest that an event's head has, where it is not the sealed one."""
        if actual != seal.head_digest:
            self._unlike.append((seal, actual))

    def settle(self) -> None:
        """Name what was changed, and what has changed places."""
        sealed = {seal.head_digest: seal.sequence for seal, _ in self._unlike}
        for seal, actual in self._unlike:
            if actual in sealed:
                self._reordered(seal, sealed[actual])
            else:
                self._report.add(Kind.ALTERED, f"event {seal.event_id}, sealed at {seal.sequence}, was changed")
        for broken in self._broken:
            self._settle_broken(broken)

    def _settle_broken(self, broken: Broken) -> None:
        seal = broken.seal
        place = self._place_of(broken) if len(self._broken) <= MOST_TRIED else None
        if place is None:
            self._report.add(
                Kind.ALTERED, f"seal {seal.sequence} of event {seal.event_id} does not follow from the one before"
            )
        elif place != seal.sequence:
            self._reordered(seal, place)

    def _place_of(self, broken: Broken) -> int | None:
        """Find where a link belongs: its own place, when only the one before it is wrong; None for nowhere."""
        seal = broken.seal
        pasts = {GENESIS, *(other.previous for other in self._broken)}
        pasts |= {other.seal.chain_digest for other in self._broken}
        places = [seal.sequence, *(other.seal.sequence for other in self._broken)]
        for place in places:
            if any(chain_digest(place, past, seal.head_digest) == seal.chain_digest for past in pasts):
                return place
        # The event of another link stands here in its digest's stead.
        for other in self._broken:
            if chain_digest(seal.sequence, broken.previous, other.seal.head_digest) == seal.chain_digest:
                return other.seal.sequence
        return None

    def _reordered(self, seal: AuditSeal, place: int) -> None:
        self._report.add(
            Kind.REORDERED, f"event {seal.event_id} at seal {seal.sequence} has changed places with seal {place}"
        )
