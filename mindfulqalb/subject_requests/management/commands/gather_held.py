"""Gather everything that is held on a person."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.subject_requests.gathering import ENCODER, gather, held_page


class Command(BaseCommand):
    """`manage.py gather_held jane@example.com --reason "request 12"`: on record, then printed."""

    help = "Print all that is held on a person, found by the digest of their email, across all apps."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the address, --reason and --html."""
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="it goes on record")
        parser.add_argument("--html", action="store_true", help="a page to read, instead of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Gather and print."""
        now = timezone.now()
        try:
            held = gather(email=options["email"], actor="system", reason=options["reason"], now=now)
        except ReasonRequired as error:
            raise CommandError(str(error.detail)) from error
        self.stdout.write(held_page(held, now=now) if options["html"] else json.dumps(held, cls=ENCODER, indent=1))
