"""Verify the audit trail and the evidence that it vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mindfulqalb.audit.checkpoints import stored_copies
from mindfulqalb.audit.sealing import last_seal
from mindfulqalb.audit.verification import verify_audit, write_down
from mindfulqalb.audit.verification.report import Report


class Command(BaseCommand):
    """`manage.py verify_audit`: ends with 0 when all fits, with 1 and the names of what does not.

    Reads only, beside a live server; what it found is kept, and shown in the admin.
    """

    help = "Verify triggers, checkpoints, the chain of audit events, their payloads, and the rows that they vouch for."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --copies."""
        parser.add_argument(
            "--copies",
            type=Path,
            default=settings.AUDIT_CHECKPOINT_DIRECTORY or None,
            help="directory of checkpoints that had left the house (default: AUDIT_CHECKPOINT_DIRECTORY)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, show how far it is, and name what was found."""
        started_at, report = timezone.now(), Report()
        copies = _copies_in(options["copies"])
        end = last_seal()
        for done in verify_audit(report=report, copies=copies):
            self._print_progress(done, max(end.sequence if end else 0, done))
        write_down(report=report, started_at=started_at, finished_at=timezone.now())
        self._print_result(report, len(copies))

    def _print_progress(self, done: int, total: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{done} of {total} events", ending="\n" if done == total else "")
            self.stdout.flush()
        else:
            self.stdout.write(f"{done} of {total} events")

    def _print_result(self, report: Report, copies: int) -> None:
        for finding in report.findings:
            self.stderr.write(f"{finding.kind}: {finding.sentence}")
        looked = (
            f"{report.event_count} events, {report.row_count} rows, {report.erased_count} gone under a rule, "
            f"{copies} checkpoints from outside"
        )
        if report.finding_count:
            raise CommandError(f"{report.finding_count} findings in {looked}")
        self.stdout.write(self.style.SUCCESS(f"Nothing was altered or removed: {looked}"))


def _copies_in(directory: Path | None) -> list[dict[str, Any]]:
    if directory is None:
        return []
    try:
        return stored_copies(directory)
    except OSError as error:
        raise CommandError(f"the copies in {directory} cannot be read: {error}") from error
