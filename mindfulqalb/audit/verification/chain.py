"""Walk along the chain, from the first event to the last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mindfulqalb.audit.digests import GENESIS, chain_digest, head_of, payload_of, salted_digest, sha256_of
from mindfulqalb.audit.models import AuditEvent, AuditSeal
from mindfulqalb.audit.sealing import horizons, last_seal, unsealed_events
from mindfulqalb.audit.verification.order import Places
from mindfulqalb.audit.verification.removals import Removals
from mindfulqalb.audit.verification.report import Kind
from mindfulqalb.audit.verification.rows import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mindfulqalb.audit.verification.checkpoints import CheckpointBook
    from mindfulqalb.audit.verification.report import Report

CHUNK_SEALS = 2000
# No transaction of ours lasts so long: what says that it was recorded earlier than this was slipped in.
LONGEST_DELAY = timedelta(days=1)


class ChainWalk:
    """One walk: the links, the events at them, and the rows that these vouch for."""

    def __init__(self, report: Report, book: CheckpointBook) -> None:
        """Stand before the first link."""
        self._report = report
        self._book = book
        self._places = Places(report)
        self._removals = Removals(report)
        self._rows = RowCheck(report, self._removals)
        self._sequence, self._previous = 0, GENESIS
        self._signed_at: datetime | None = None

    def run(self) -> Iterator[int]:
        """Walk, and yield how many events are behind."""
        events_are_gone = AuditSeal.objects.exists() and not AuditEvent.objects.exists()
        if events_are_gone:
            self._report.add(Kind.TRUNCATED, f"table audit_events is empty, and {_count_seals()} events are sealed")
        self._look_at_checkpoints()
        while seals := list(AuditSeal.objects.filter(sequence__gt=self._sequence).order_by("sequence")[:CHUNK_SEALS]):
            events = AuditEvent.objects.in_bulk([seal.event_id for seal in seals])
            for seal in seals:
                self._step(seal, None if events_are_gone else events.get(seal.event_id), is_told=events_are_gone)
            self._rows.check([event for event in events.values() if event.evidence])
            yield self._report.event_count
        self._look_at_the_end()

    def _step(self, seal: AuditSeal, event: AuditEvent | None, *, is_told: bool) -> None:
        self._report.event_count += 1
        if seal.sequence != self._sequence + 1:
            self._report.add(Kind.DELETED, f"seals {self._sequence + 1} to {seal.sequence - 1} are gone")
        elif seal.chain_digest != chain_digest(seal.sequence, self._previous, seal.head_digest):
            self._places.note_broken(seal, previous=self._previous)
        if event is not None:
            self._look_at_event(event, seal)
        elif not is_told:
            self._report.add(Kind.DELETED, f"event {seal.event_id}, sealed at {seal.sequence}, is gone")
        self._sequence, self._previous = seal.sequence, seal.chain_digest
        self._look_at_checkpoints()

    def _look_at_event(self, event: AuditEvent, seal: AuditSeal) -> None:
        digest = sha256_of(head_of(event))
        self._places.note_event(seal, actual=digest)
        if all(value is None for value in (event.salt, *payload_of(event).values())):
            self._removals.note_erased(event.id)
        elif salted_digest(event.salt or b"", payload_of(event)) != event.payload_digest:
            self._report.add(Kind.ALTERED, f"payload of event {event.id}, sealed at {seal.sequence}, was changed")
        if self._signed_at and event.recorded_at < self._signed_at - LONGEST_DELAY:
            self._report.add(
                Kind.FORGED, f"event {event.id}, sealed at {seal.sequence}, is dated before a checkpoint without it"
            )

    def _look_at_checkpoints(self) -> None:
        for statement in self._book.said.get(self._sequence, ()):
            if statement["chain_digest"] != self._previous:
                self._report.add(
                    Kind.RECHAINED,
                    f"seal {self._sequence} is not the one that checkpoint {statement['number']} was signed over",
                )
            self._signed_at = datetime.fromisoformat(statement["signed_at"])

    def _look_at_the_end(self) -> None:
        if not self._sequence and self._book.reach:
            self._report.add(Kind.TRUNCATED, f"table audit_seals is empty, and {self._book.reach} were signed for")
        elif self._sequence < self._book.reach:
            self._report.add(
                Kind.CUT, f"the chain ends at seal {self._sequence}, and a checkpoint was signed at {self._book.reach}"
            )
        self._look_behind_the_seals()
        self._places.settle()
        self._rows.settle()
        self._removals.settle()

    def _look_behind_the_seals(self) -> None:
        last = last_seal()
        if last is None or last.horizon > horizons()[1]:
            return  # nothing sealed yet, or a restored dump, whose transactions are counted anew
        for event_id in unsealed_events().filter(transaction_id__lt=last.horizon).values_list("id", flat=True):
            self._report.add(Kind.FORGED, f"event {event_id} was slipped in behind the seals")


def _count_seals() -> int:
    return AuditSeal.objects.count()
