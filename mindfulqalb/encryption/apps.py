"""Field encryption."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from mindfulqalb.encryption.checks import check_keys, check_labels


class EncryptionConfig(AppConfig):
    """Key ring, encrypted fields, blind index and the command that moves rows to a new key."""

    name = "mindfulqalb.encryption"
    label = "encryption"

    def ready(self) -> None:
        """Register the system checks."""
        register(check_keys, Tags.security)
        register(check_labels, Tags.models)
