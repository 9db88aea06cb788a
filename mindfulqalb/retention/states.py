"""What may happen to a record whose time is over."""

from __future__ import annotations

from django.db import models


class Action(models.TextChoices):
    """How a record goes."""

    ERASE = "erase", "Erase it, and what the audit trail says of its content"
    ANONYMISE = "anonymise", "Take the person out; times and amounts stay"
    KEEP_DIGEST = "keep_digest", "Erase it; its salted digest stays in the audit trail"
