"""Saved notes for tests."""

from __future__ import annotations

from typing import Any

from mindfulqalb.encryption.tests.notebook.models import Note

SECRET = "told in confidence"


def make_note(**overrides: Any) -> Note:
    """Save a note."""
    return Note.objects.create(**{"body": SECRET, "author": "Ann", **overrides})


def make_notes(count: int, **overrides: Any) -> list[Note]:
    """Save notes whose bodies are their numbers."""
    notes = [Note(**{"body": str(number), "author": "Ann", **overrides}) for number in range(count)]
    return Note.objects.bulk_create(notes)
