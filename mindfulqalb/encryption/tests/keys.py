"""Keys for tests: they look random and are the same in every run."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_django import Settings


def make_key(name: str) -> str:
    """Return the base64 of 32 bytes."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


OLD_KEY, NEW_KEY, LOST_KEY, INDEX_KEY = (make_key(name) for name in ("old", "new", "lost", "index"))


def use_keys(settings: Settings, writing: str, *fallbacks: str) -> None:
    """Seal with `writing` and read with all."""
    settings.ENCRYPTION_KEY = writing
    settings.ENCRYPTION_KEY_FALLBACKS = list(fallbacks)
