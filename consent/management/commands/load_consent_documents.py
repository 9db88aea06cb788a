"""Publish the consent documents that ship."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from consent.documents import shipped_documents
from consent.publishing import differing_documents, load_shipped_documents


class Command(BaseCommand):
    """`manage.py load_consent_documents`: idempotent."""

    help = "Publish the consent documents that ship, except those whose version is published already."

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish, and say what was published and what had been, under its name, with other words."""
        published = load_shipped_documents(now=timezone.now())
        self.stdout.write(f"Consent documents published: {len(published)} of {len(shipped_documents())}.")
        for document in differing_documents():
            self.stderr.write(f"Published long ago with other words, and left as it is: {document}.")
