"""Signing keys for tests."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from mindfulqalb.audit.signing import public_keys, raw_bytes

if TYPE_CHECKING:
    from pytest_django import Settings


def make_signing_key() -> str:
    """A new one, as AUDIT_SIGNING_KEY holds it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def use_signing_key(settings: Settings, key: str) -> str:
    """Sign with it from now on; return its public half as AUDIT_PUBLIC_KEYS holds it."""
    settings.AUDIT_SIGNING_KEY = key
    return base64.b64encode(raw_bytes(next(iter(public_keys().values())))).decode()
