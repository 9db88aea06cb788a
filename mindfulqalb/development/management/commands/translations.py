"""Bring the translations up to date."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.development.translations import catalogs, refresh


class Command(BaseCommand):
    """`manage.py translations`: collects what clients may read, and compiles; needs no gettext on the machine."""

    help = "Collect what clients may read into templates/locale, and compile it; fails while any of it is untranslated."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refresh, and name what is missing."""
        missing = {path.parts[-3]: refresh(path) for path in catalogs()}
        for language, sentences in missing.items():
            for sentence in sentences:
                self.stdout.write(f"{language}: {sentence}")
        if any(missing.values()):
            raise CommandError("Not translated yet: write these into the .po file, and run it again.")
        self.stdout.write("Everything is translated.")
