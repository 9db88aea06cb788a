"""What can become of a row."""

from __future__ import annotations

from django.db import models


class RowState(models.TextChoices):
    """WAITING -> DONE | REFUSED (a rule of the house says no) | FAILED (the server could not)."""

    WAITING = "WAITING", "waiting"
    DONE = "DONE", "done"
    REFUSED = "REFUSED", "refused"
    FAILED = "FAILED", "failed"
