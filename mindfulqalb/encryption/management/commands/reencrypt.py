"""Move every encrypted value to the writing key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mindfulqalb.encryption.fields import encrypted_models
from mindfulqalb.encryption.keyring import keyring
from mindfulqalb.encryption.rotation import CHUNK_ROWS, outdated_rows, reencrypt, unknown_key_rows

BAR_CELLS = 30


class Command(BaseCommand):
    """`manage.py reencrypt`: after ENCRYPTION_KEY has changed and the old key has gone to ENCRYPTION_KEY_FALLBACKS.

    Safe beside a live server, and to interrupt: the next run does the rest. Ends with 0 when nothing is left under
    another key, so that the old one can go; with 1, and the row ids of what cannot be opened, when something is.
    """

    help = "Move every encrypted value to the writing key, ENCRYPTION_KEY. Safe beside a live server, and to interrupt."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --dry-run and --chunk."""
        parser.add_argument("--dry-run", action="store_true", help="count the rows and change none")
        parser.add_argument("--chunk", type=int, default=CHUNK_ROWS, help="rows per transaction (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, or move and show how far it is."""
        if options["dry_run"]:
            self._print_counts()
            return
        if options["chunk"] < 1:
            raise CommandError("--chunk must be 1 or more")
        moved, unreadable = self._move(chunk_rows=options["chunk"])
        self._print_result(moved, unreadable, left=_count_outdated_rows())

    def _print_counts(self) -> None:
        self.stdout.write(f"Writing key: {keyring().writing.hex()}")
        for model in encrypted_models():
            unknown = unknown_key_rows(model).count()
            remark = f", {unknown} with a key that is not configured" if unknown else ""
            total, left = model._base_manager.count(), outdated_rows(model).count()
            self.stdout.write(f"{model._meta.label}: {left} of {total} rows to move{remark}")

    def _move(self, *, chunk_rows: int) -> tuple[int, set[str]]:
        total, moved = _count_outdated_rows(), 0
        unreadable: set[str] = set()
        for chunk in reencrypt(chunk_rows=chunk_rows, now=timezone.now()):
            moved += chunk.moved_rows
            unreadable |= {str(error) for error in chunk.unreadable}
            if chunk.moved_rows:
                self._print_progress(moved, max(total, moved))
        return moved, unreadable

    def _print_progress(self, moved: int, total: int) -> None:
        if not self.stdout.isatty():
            self.stdout.write(f"{moved} of {total} rows moved")
            return
        bar = "#" * (BAR_CELLS * moved // total)
        self.stdout.write(f"\r[{bar:<{BAR_CELLS}}] {moved} of {total} rows", ending="\n" if moved == total else "")
        self.stdout.flush()

    def _print_result(self, moved: int, unreadable: set[str], *, left: int) -> None:
        for sentence in sorted(unreadable):
            self.stderr.write(sentence)
        if left:
            busy = "" if unreadable else "; another transaction holds them, run it again"
            raise CommandError(f"{moved} rows moved, {left} rows still hold values under another key{busy}")
        self.stdout.write(self.style.SUCCESS(f"{moved} rows moved; every value is under key {keyring().writing.hex()}"))


def _count_outdated_rows() -> int:
    return sum(outdated_rows(model).count() for model in encrypted_models())
