"""Publish the consent document that ships."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from consent.services import publish_shipped_document


class Command(BaseCommand):
    """`manage.py load_consent_documents`: idempotent."""

    help = "Publish the consent document that ships, unless its version is published already."

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish and say so."""
        published = publish_shipped_document(now=timezone.now())
        self.stdout.write("Consent document published." if published else "Consent document is there already.")
