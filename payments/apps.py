"""Orders, captures and what may be spent; has never heard of a booking."""

from __future__ import annotations

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Orders, captures and what may be spent; has never heard of a booking."""

    name = "payments"
