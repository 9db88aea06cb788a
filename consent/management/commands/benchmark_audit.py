"""Measure what the audit trail costs."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandParser
from django.db import connections, transaction
from django.utils import timezone

from consent.models import ConsentRecord
from mindfulqalb.audit.digests import salted_digest
from mindfulqalb.audit.evidence import guarded_tables
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.scratch import scratch_tables, use_scratch_tables
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import record
from mindfulqalb.audit.verification import verify_audit
from mindfulqalb.audit.verification.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 2000


class Command(BaseCommand):
    """`manage.py benchmark_audit`: on empty copies of the tables, which it drops afterwards."""

    help = "Measure parallel writers with and without the audit trail, and how long an untouched chain takes to verify."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how many and how long."""
        parser.add_argument("--writers", type=int, default=16, help="parallel writers (default %(default)s)")
        parser.add_argument("--seconds", type=float, default=5, help="per measurement (default %(default)s)")
        parser.add_argument("--events", type=int, default=100_000, help="events to verify (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, and say what came of it."""
        with scratch_tables(guarded_tables()):
            self._measure_writers(options["writers"], options["seconds"])
        with scratch_tables(guarded_tables()):
            self._measure_verification(options["events"])

    def _measure_writers(self, writers: int, seconds: float) -> None:
        bare = _rate(_write_bare, writers, seconds)
        audited = _rate(_write_audited, writers, seconds)
        self.stdout.write(
            f"{writers} writers: {bare:.0f} consents/s without audit, {audited:.0f}/s with it"
            f" ({100 * audited / bare:.0f} %)"
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


def _rate(write: Callable[[int], None], writers: int, seconds: float) -> float:
    def work(writer: int) -> int:
        use_scratch_tables()
        until, count = monotonic() + seconds, 0
        while monotonic() < until:
            write(writer)
            count += 1
        connections.close_all()
        return count

    with ThreadPoolExecutor(writers) as crowd:
        return sum(crowd.map(work, range(writers))) / seconds


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
