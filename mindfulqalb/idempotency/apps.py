"""Answers that are given once and repeated."""

from __future__ import annotations

from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    """Answers that are given once and repeated."""

    name = "mindfulqalb.idempotency"
    label = "idempotency"
