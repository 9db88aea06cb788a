"""Put a copy of the database back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.operations.backups import DatabaseNotEmpty, RestoreFailed, restore
from mindfulqalb.operations.programs import ProgramsUnfit

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py restore 2026-11-28.dump`: into an empty database, whole or not at all. Stop web and workers first."""

    help = "Put a file of `backup` back, in one transaction."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and --force."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="in place of everything that is in the database now")

    def handle(self, *args: Any, file: Path, force: bool = False, **options: Any) -> None:
        """Restore, print each table, and say what comes next."""
        try:
            for number, table in enumerate(restore(file=file, replace=force), start=1):
                self.stdout.write(f"{number} {table}")
        except DatabaseNotEmpty:
            raise CommandError("The database is not empty; --force puts the copy in place of all there is") from None
        except (RestoreFailed, ProgramsUnfit) as error:
            raise CommandError(f"Nothing was restored, the database is as it was: {error}") from None
        self.stdout.write(self.style.SUCCESS("Restored. Next: manage.py migrate, manage.py verify_audit"))
