"""Look through the whole audit trail, and name what does not fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from mindfulqalb.audit.checkpoints import stored_copies
from mindfulqalb.audit.models import AuditVerification
from mindfulqalb.audit.verification.chain import ChainWalk
from mindfulqalb.audit.verification.checkpoints import CheckpointBook
from mindfulqalb.audit.verification.guards import check_guards
from mindfulqalb.audit.verification.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

FINDINGS_KEPT = 100


def verify_audit(*, report: Report, copies: Sequence[Mapping[str, Any]] = ()) -> Iterator[int]:
    """Verify triggers, checkpoints, chain, payloads and the rows that events vouch for; yield how many events are done.

    What is wrong goes into `report`. `copies` are checkpoints that had left the house: without them, whoever cuts the
    newest checkpoints off together with the newest events goes unnoticed. Reads only, and may run beside a live server.
    """
    check_guards(report)
    book = CheckpointBook(report)
    book.read(copies)
    walk = ChainWalk(report, book)
    yield from walk.run()


def verify_now(*, clock: Callable[[], datetime]) -> AuditVerification:
    """Verify all, against the copies in AUDIT_CHECKPOINT_DIRECTORY where there is one, and keep what was found."""
    report, started_at = Report(), clock()
    directory = settings.AUDIT_CHECKPOINT_DIRECTORY
    for _ in verify_audit(report=report, copies=stored_copies(Path(directory)) if directory else ()):
        pass
    return write_down(report=report, started_at=started_at, finished_at=clock())


def write_down(*, report: Report, started_at: datetime, finished_at: datetime) -> AuditVerification:
    """Keep what was found."""
    return AuditVerification.objects.create(
        started_at=started_at,
        finished_at=finished_at,
        event_count=report.event_count,
        row_count=report.row_count,
        erased_count=report.erased_count,
        finding_count=report.finding_count,
        findings=[f"{finding.kind}: {finding.sentence}" for finding in report.findings[:FINDINGS_KEPT]],
    )
