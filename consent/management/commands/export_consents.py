"""Export consent records."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from consent.export_filter import ConsentFilter
from consent.exports import export_consents
from consent.states import ConsentState
from mindfulqalb.audit.exports.command import add_export_arguments, period_of, refused_in_words, save


class Command(BaseCommand):
    """`manage.py export_consents --by asha --reason "Audit 2026" --output consents.zip`."""

    help = "Write consent records, with all that a stranger needs to verify them, into a ZIP archive."

    def add_arguments(self, parser: Any) -> None:
        """Take who, why, which and where to."""
        add_export_arguments(parser)
        parser.add_argument("--document", default="", metavar="VERSION", help="only consents to this version")
        parser.add_argument("--session-type", default="", metavar="TYPE", help="only consents to such sessions")
        parser.add_argument("--state", default="", choices=ConsentState.values, help="only consents in this state")
        parser.add_argument("--allow-empty", action="store_true", help="export even when no record matches")

    @refused_in_words
    def handle(self, *args: Any, **options: Any) -> None:
        """Export."""
        wanted = ConsentFilter(period_of(options), options["document"], options["session_type"], options["state"])
        _, archive = export_consents(
            wanted=wanted,
            actor=options["by"],
            reason=options["reason"],
            now=timezone.now(),
            allow_empty=options["allow_empty"],
        )
        save(archive, options["output"], self.stdout)
