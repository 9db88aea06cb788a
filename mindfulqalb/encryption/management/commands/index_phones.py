"""Give phones the digests by which staff find them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mindfulqalb.encryption.phone_index import CHUNK_ROWS, index_phones, indexed_phones


class Command(BaseCommand):
    """`manage.py index_phones`: beat does it every hour; by hand where somebody waits for it.

    Safe beside a live server, and to interrupt: the next run does the rest. After BLIND_INDEX_KEY has changed, `--anew`
    writes the digests of all under the new key. Ends with 1, and the ids of what cannot be opened, when there is some.
    """

    help = "Give every phone that is kept the digest by which staff find it. Safe to repeat and to interrupt."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --anew and --chunk."""
        parser.add_argument("--anew", action="store_true", help="those too that have a digest, as under another key")
        parser.add_argument("--chunk", type=int, default=CHUNK_ROWS, help="rows per transaction (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Index, and say how far it is."""
        if options["chunk"] < 1:
            raise CommandError("--chunk must be 1 or more")
        total = sum(indexed.rows(anew=options["anew"]).count() for indexed in indexed_phones())
        done, unreadable = 0, []
        for chunk in index_phones(chunk_rows=options["chunk"], anew=options["anew"]):
            done += chunk.indexed_rows
            unreadable += [str(error) for error in chunk.unreadable]
            if chunk.indexed_rows:
                self.stdout.write(f"{done} of {max(total, done)} phones indexed")
        for sentence in sorted(unreadable):
            self.stderr.write(sentence)
        if unreadable:
            raise CommandError(f"{done} phones indexed, {len(unreadable)} cannot be opened")
        self.stdout.write(self.style.SUCCESS(f"{done} phones indexed; every phone can be found"))
