"""Receipts and refund notes: numbered, and never changed."""

from __future__ import annotations

from django.apps import AppConfig


class ReceiptsConfig(AppConfig):
    """Receipts and refund notes: numbered, and never changed."""

    name = "payments.receipts"
    label = "receipts"
