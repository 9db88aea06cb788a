"""Export audit events."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from mindfulqalb.audit.exports.command import add_export_arguments, period_of, refused_in_words, save
from mindfulqalb.audit.exports.events import export_events


class Command(BaseCommand):
    """`manage.py export_audit_events --by asha --reason "Audit 2026" --output events.zip`."""

    help = "Write the audit events of a period, with all that a stranger needs to verify them, into a ZIP archive."

    def add_arguments(self, parser: Any) -> None:
        """Take who, why, which period and where to."""
        add_export_arguments(parser)

    @refused_in_words
    def handle(self, *args: Any, **options: Any) -> None:
        """Export."""
        _, archive = export_events(
            period=period_of(options), actor=options["by"], reason=options["reason"], now=timezone.now()
        )
        save(archive, options["output"], self.stdout)
