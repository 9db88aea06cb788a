"""Measure what the audit trail costs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from statistics import median
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections, transaction
from django.utils import timezone

from consent.models import ConsentRecord
from mindfulqalb.audit.digests import salted_digest
from mindfulqalb.audit.evidence import evidence_tables, guards
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.scratch import scratch_tables, use_scratch_tables
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import record
from mindfulqalb.audit.verification import verify_audit
from mindfulqalb.audit.verification.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Barrier

CHUNK = 2000


class Command(BaseCommand):
    """`manage.py benchmark_audit`: on empty copies of the tables, which it drops afterwards."""

    help = "Measure parallel writers with and without the audit trail, and how long an untouched chain takes to verify."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many and how long."""
        parser.add_argument("--writers", type=int, default=16, help="parallel writers (default %(default)s)")
        parser.add_argument(
            "--rounds", type=int, default=7, help="without and with audit in turn (default %(default)s)"
        )
        parser.add_argument("--seconds", type=float, default=2, help="per measurement (default %(default)s)")
        parser.add_argument("--events", type=int, default=100_000, help="events to verify (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, and say what came of it."""
        with scratch_tables(evidence_tables()):
            self._measure_writers(options["writers"], options["seconds"], options["rounds"])
        # Every table whose triggers a verification looks for.
        with scratch_tables(model._meta.db_table for model in guards()):
            self._measure_verification(options["events"])

    def _measure_writers(self, writers: int, seconds: float, rounds: int) -> None:
        # In short turns, and a ratio for each: what else the machine does then falls on both.
        turns = [
            (_measure(_write_bare, writers, seconds), _measure(_write_audited, writers, seconds)) for _ in range(rounds)
        ]
        bare, audited = ([turn[side] for turn in turns] for side in (0, 1))
        ratios = sorted(100 * with_it.rate / without.rate for without, with_it in turns)
        self.stdout.write(
            f"{writers} writers, {rounds} rounds: {median(turn.rate for turn in bare):.0f} consents/s without audit,"
            f" {median(turn.rate for turn in audited):.0f}/s with it; {median(ratios):.0f} % of the rate"
            f" (from {ratios[0]:.0f} to {ratios[-1]:.0f} %)"
        )
        costs = [1000 * median(turn.processor_seconds for turn in side) for side in (bare, audited)]
        self.stdout.write(
            f"our processor time of a consent: {costs[0]:.2f} ms without audit, {costs[1]:.2f} ms with it"
            f" ({100 * costs[0] / costs[1]:.0f} %)"
        )

    def _measure_verification(self, count: int) -> None:
        for start in range(0, count, CHUNK):
            AuditEvent.objects.bulk_create(_make_event(number) for number in range(start, min(start + CHUNK, count)))
        began = monotonic()
        seal_events(now=timezone.now())
        sealed, report = monotonic(), Report()
        for done in verify_audit(report=report):
            self.stdout.write(f"{done} of {count} events verified")
        self.stdout.write(
            f"{count} events: sealed in {sealed - began:.1f} s, verified in {monotonic() - sealed:.1f} s,"
            f" {report.finding_count} findings"
        )


@dataclass(frozen=True)
class Turn:
    """What the writers did in one turn: consents in a second, and their own processor time for each."""

    rate: float
    processor_seconds: float


def _measure(write: Callable[[int], None], writers: int, seconds: float) -> Turn:
    """Write from that many processes at once: threads would measure how they wait for each other in Python."""
    connections.close_all()  # no two processes may talk on one connection
    forks = get_context("fork")
    results, ready = forks.SimpleQueue(), forks.Barrier(writers)
    crowd = [forks.Process(target=_work, args=(write, n, seconds, ready, results)) for n in range(writers)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    if any(process.exitcode for process in crowd):
        raise CommandError("a writer failed")
    counts, costs = zip(*(results.get() for _ in crowd), strict=True)
    return Turn(sum(counts) / seconds, sum(costs) / sum(counts))


def _work(write: Callable[[int], None], writer: int, seconds: float, ready: Barrier, results: SimpleQueue[Any]) -> None:
    try:
        use_scratch_tables()
        ready.wait()
    except BaseException:
        ready.abort()
        raise
    until, began, count = monotonic() + seconds, process_time(), 0
    while monotonic() < until:
        write(writer)
        count += 1
    results.put((count, process_time() - began))
    connections.close_all()


def _write_bare(writer: int) -> None:
    with transaction.atomic():
        _make_consent(writer)


def _write_audited(writer: int) -> None:
    with transaction.atomic():
        consent = _make_consent(writer)
        record(
            action="consent.given",
            actor="client",
            target=f"consent:{consent.id}",
            details={"version": consent.consent_version},
            evidence=consent,
            now=timezone.now(),
        )


def _make_consent(writer: int) -> ConsentRecord:
    now = timezone.now()
    return ConsentRecord.objects.create(
        session_type="individual",
        email_hash=secrets.token_hex(32),
        consent_version="2024-01-15",
        acknowledgments=["item1", "item2", "item3"],
        created_at=now,
        expires_at=now + timedelta(days=365),
        valid_until=now + timedelta(days=365),
        method="checkbox",
        email=f"writer{writer}@example.com",
        full_ip_address="203.0.113.77",
        ip_address_source="peer",
    )


def _make_event(number: int) -> AuditEvent:
    salt = secrets.token_bytes(16)
    payload: dict[str, Any] = {"details": {"number": number}, "evidence": None, "reason": ""}
    return AuditEvent(
        actor="client",
        action="booking.held",
        target=f"booking:{uuid4()}",
        occurred_at=timezone.now(),
        salt=salt,
        payload_digest=salted_digest(salt, payload),
        **payload,
    )
