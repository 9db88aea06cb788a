"""Chain what was recorded: one sealer after the commit, so that whoever records waits for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from mindfulqalb.audit.digests import GENESIS, chain_digest, head_of, sha256_of
from mindfulqalb.audit.models import AuditEvent, AuditSeal

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

CHUNK_EVENTS = 2000
SEALER_LOCK = 0x5EA1


def seal_events(*, now: datetime) -> int:
    """Seal every committed event that has no seal yet; return how many there were.

    An event whose transaction commits late is not missed: the search begins at the oldest transaction that was still
    running when the last seals were made.
    """
    total = 0
    while True:
        sealed = _seal_chunk(now)
        total += sealed
        if sealed < CHUNK_EVENTS:
            return total


def lock_chain() -> None:
    """Be the only one who adds to the chain, until the end of this transaction. Recording takes no part in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEALER_LOCK])


def last_seal() -> AuditSeal | None:
    """Return the end of the chain."""
    return AuditSeal.objects.order_by("-sequence").first()


def unsealed_events() -> QuerySet[AuditEvent]:
    """Find events without a seal."""
    return AuditEvent.objects.filter(~Exists(AuditSeal.objects.filter(event_id=OuterRef("pk"))))


def horizons() -> tuple[int, int]:
    """Return the oldest transaction that may still write, and the next one to come."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
        )
        oldest, coming = cursor.fetchone()
    return int(oldest), int(coming)


@transaction.atomic
def _seal_chunk(now: datetime) -> int:
    lock_chain()
    last = last_seal()
    # Asked before the events are read: whatever is older than this horizon has come to its end and will be seen.
    oldest, coming = horizons()
    reached = last.horizon if last else 0
    if reached > coming:
        reached = 0  # a dump restored into another cluster, which counts transactions from the beginning
    waiting = unsealed_events().filter(transaction_id__gte=reached)
    events = list(waiting.order_by("transaction_id", "occurred_at", "id")[:CHUNK_EVENTS])
    # After a full chunk the rest begins where it ends: a backlog is not gone through again for each of its chunks.
    horizon = oldest if len(events) < CHUNK_EVENTS else min(oldest, events[-1].transaction_id)
    AuditSeal.objects.bulk_create(_links(events, last, horizon, now))
    return len(events)


def _links(events: list[AuditEvent], last: AuditSeal | None, horizon: int, now: datetime) -> list[AuditSeal]:
    sequence, previous = (last.sequence, last.chain_digest) if last else (0, GENESIS)
    links = []
    for event in events:
        sequence += 1
        head_digest = sha256_of(head_of(event))
        previous = chain_digest(sequence, previous, head_digest)
        links.append(
            AuditSeal(
                sequence=sequence,
                event_id=event.id,
                head_digest=head_digest,
                chain_digest=previous,
                horizon=horizon,
                chained_at=now,
            )
        )
    return links
