"""Read the reports of mails that did not arrive."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mindfulqalb.mail.bounces import read_bounces, record_bounce

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """`manage.py read_bounces`: from the mailbox that BOUNCE_IMAP_URL names, or one report from standard input."""

    help = "Note which of our mails did not arrive: from BOUNCE_IMAP_URL, or with --stdin from one report there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a report from a mail server's pipe."""
        parser.add_argument("--stdin", action="store_true", help="read one report from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, and say how many."""
        if options["stdin"]:
            count = record_bounce(raw=sys.stdin.buffer.read(), now=timezone.now())
        elif settings.BOUNCE_IMAP_URL:
            count = read_bounces(now=timezone.now())
        else:
            raise CommandError("Set BOUNCE_IMAP_URL, or pipe a report in with --stdin.")
        self.stdout.write(f"Mails that did not arrive: {count}.")
