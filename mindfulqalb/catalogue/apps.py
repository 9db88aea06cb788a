"""What is sold."""

from __future__ import annotations

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    """What is sold."""

    name = "mindfulqalb.catalogue"
    label = "catalogue"
