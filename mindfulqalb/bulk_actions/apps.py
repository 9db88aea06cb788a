"""What staff have done to many rows at once."""

from __future__ import annotations

from django.apps import AppConfig


class BulkActionsConfig(AppConfig):
    """Actions of the admin, row by row: a few at once, more in the background."""

    name = "mindfulqalb.bulk_actions"
    label = "bulk_actions"
    verbose_name = "Bulk actions"
