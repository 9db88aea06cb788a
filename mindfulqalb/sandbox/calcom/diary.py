"""The host's diary: the records of bookings and reservations, and the time that they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindfulqalb.sandbox.clock import now, parse_iso
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from datetime import datetime

BOOKING = "calcom.booking"
RESERVATION = "calcom.reservation"


@dataclass(frozen=True)
class Span:
    """A stretch of time, its end not included."""

    start: datetime
    end: datetime

    def overlaps(self, other: Span) -> bool:
        """Say whether the two share any time."""
        return self.start < other.end and other.start < self.end


def span_of(record: Record) -> Span:
    """Return the time that a booking or reservation takes."""
    return Span(parse_iso(record["start"]), parse_iso(record["end"]))


def bookings() -> list[Record]:
    """Return every booking, oldest first."""
    return store().all(BOOKING)


def accepted_spans(ignored_uid: str = "") -> list[Span]:
    """Return the time taken by accepted bookings, but for one."""
    return [span_of(b) for b in bookings() if b["status"] == "accepted" and b["uid"] != ignored_uid]


def live_reservations() -> list[Record]:
    """Return the reservations that have not run out."""
    return [r for r in store().all(RESERVATION) if parse_iso(r["until"]) > now()]


def reserved_spans() -> list[Span]:
    """Return the time kept by live reservations."""
    return [span_of(reservation) for reservation in live_reservations()]
