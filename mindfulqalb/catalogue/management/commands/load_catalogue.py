"""Load the default catalogue."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mindfulqalb.catalogue.services import load_default_catalogue


class Command(BaseCommand):
    """`manage.py load_catalogue`: idempotent; never overwrites what staff have edited."""

    help = "Create the default session offers and prices that are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say how many."""
        created = load_default_catalogue(therapist_name=settings.PRACTICE_NAME)
        self.stdout.write(f"Catalogue: {created} offers created.")
