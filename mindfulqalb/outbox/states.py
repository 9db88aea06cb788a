"""What can become of a message."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """PENDING -> DELIVERED | DEAD; DEAD -> PENDING when a person revives it."""

    PENDING = "PENDING", "pending"
    DELIVERED = "DELIVERED", "delivered"
    DEAD = "DEAD", "dead"
