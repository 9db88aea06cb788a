"""Load the timetable that ships."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mindfulqalb.retention.timetable import load_shipped_rules


class Command(BaseCommand):
    """`manage.py load_retention_rules`: safe to repeat; a rule that is there stays as somebody made it."""

    help = "Add the retention rules that ship and are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load them."""
        load_shipped_rules()
        self.stdout.write(self.style.SUCCESS("The timetable is complete."))
