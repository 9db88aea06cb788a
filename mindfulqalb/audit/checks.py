"""System checks: what `manage.py check` says about the keys of the audit trail."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error

from mindfulqalb.audit.signing import public_keys


def check_signing_keys(**_: Any) -> list[CheckMessage]:
    """Report keys that cannot sign or verify."""
    try:
        public_keys()
    except ValueError as error:
        hint = "Make a signing key with: openssl rand -base64 32. Public ones: manage.py audit_public_keys."
        return [Error(f"A key in AUDIT_SIGNING_KEY or AUDIT_PUBLIC_KEYS {error}.", hint=hint, id="audit.E001")]
    return []
