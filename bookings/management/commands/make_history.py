"""Make a past to try things with."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from bookings.history import PAST, make_history
from consent.queries import newest_document
from consent.states import DocumentKind
from mindfulqalb.catalogue.queries import find_offer


class Command(BaseCommand):
    """`manage.py make_history --rows 100000`: never in production, where people's rows must be people's."""

    help = "Make a past of imagined sessions with consents, payments and audit events, really encrypted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --rows, --days and --seed."""
        parser.add_argument("--rows", type=int, required=True, help="how many sessions")
        parser.add_argument("--days", type=int, default=PAST.days, help="over how many days until now (ten years)")
        parser.add_argument("--seed", type=int, default=1, help="another one makes other people")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, and show how far it is."""
        if not settings.DEVELOPMENT:
            raise CommandError("A made-up past has no place in production.")
        now, began = timezone.now(), time.monotonic()
        document = newest_document(kind=DocumentKind.INFORMED_CONSENT, now=now)
        if min(options["rows"], options["days"]) < 1 or document is None:
            raise CommandError(
                "--rows and --days must be 1 or more, and load_catalogue and load_consent_documents come first"
            )
        offer = find_offer(session_type="individual-video")
        rows, past, done = options["rows"], timedelta(days=options["days"]), 0
        for done in make_history(rows=rows, offer=offer, document=document, now=now, past=past, seed=options["seed"]):
            self.stdout.write(f"{done} of {rows} sessions")
        rate = done / (time.monotonic() - began)
        self.stdout.write(self.style.SUCCESS(f"{done} sessions, {rate:.0f} a second"))
