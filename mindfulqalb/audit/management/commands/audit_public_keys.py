"""Print the public keys of the audit trail."""

from __future__ import annotations

import base64
from typing import Any

from django.core.management.base import BaseCommand

from mindfulqalb.audit.signing import pem, public_keys, raw_bytes


class Command(BaseCommand):
    """`manage.py audit_public_keys`: for auditors; the first one is that of AUDIT_SIGNING_KEY."""

    help = "Print the public keys that checkpoints and exports are verified with: the signing key's first."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each in PEM, under its id and its base64 for AUDIT_PUBLIC_KEYS."""
        for key_id, key in public_keys().items():
            self.stdout.write(f"# key id {key_id}, AUDIT_PUBLIC_KEYS={base64.b64encode(raw_bytes(key)).decode()}")
            self.stdout.write(pem(key), ending="")
