"""Run a rotation and look at what it left."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.core.management import call_command

from mindfulqalb.encryption.tests.keys import NEW_KEY, OLD_KEY, use_keys
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note

if TYPE_CHECKING:
    from pytest_django import Settings

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


def rotate(settings: Settings) -> None:
    """Make NEW_KEY the writing key."""
    use_keys(settings, NEW_KEY, OLD_KEY)


def run(**options: Any) -> list[str]:
    """Run the command and return its lines."""
    out = StringIO()
    call_command("reencrypt", stdout=out, stderr=out, no_color=True, **options)
    return out.getvalue().splitlines()


def bodies() -> list[str]:
    """Return every note's opened body."""
    return sorted(note.body for note in Note.objects.all())


def key_ids() -> set[bytes]:
    """Return the key ids of every token in the notebook."""
    columns = [*Note.objects.values_list("body", "remark", "author"), *Annotation.objects.values_list("text")]
    return {value.key_id for row in columns for value in row if value is not None}
