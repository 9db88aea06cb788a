"""Copy the whole database into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.operations.backups import BackupFailed, back_up
from mindfulqalb.operations.programs import ProgramsUnfit

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py backup 2026-11-28.dump`: consistent, beside a live server; the file is whole or absent."""

    help = "Copy the whole database into a file that `restore` and pg_restore read. Keep it where disks are encrypted."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        """Copy, print each table, and say how large it is."""
        if file.exists():
            raise CommandError(f"{file} is there already")
        try:
            for number, table in enumerate(back_up(file=file), start=1):
                self.stdout.write(f"{number} {table}")
        except (BackupFailed, ProgramsUnfit, OSError) as error:
            raise CommandError(f"No backup: {error}") from None
        size = file.stat().st_size
        self.stdout.write(self.style.SUCCESS(f"{file}: {size:,} bytes. Without ENCRYPTION_KEY it is worth nothing."))
