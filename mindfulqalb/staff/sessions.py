"""Sessions in the database of which a reader of the database can make no cookie.

Django's own store keeps the cookie's value as it is: whoever reads the table is logged in, second factor and all.
(`django-user-sessions` and `django-qsessions` keep it too.) Here the table holds a digest of it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.utils import timezone

if TYPE_CHECKING:
    from django.contrib.sessions.base_session import AbstractBaseSession

KEY_LENGTH = 40  # of the table's column: 160 bits of the digest


class SessionStore(DatabaseSessionStore):
    """Django's sessions, found by the digest of their key."""

    def exists(self, session_key: str) -> bool:
        """Whether there is a session of this key."""
        return super().exists(stored_key(session_key))

    def delete(self, session_key: str | None = None) -> None:
        """Forget the session of this key, or this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_key(key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """Make the row that is saved."""
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)
        return row

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        found = self.model.objects.filter(
            session_key=stored_key(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found


def stored_key(session_key: str) -> str:
    """Digest a key, as long as any of Django's: 32 random signs need no salt."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:KEY_LENGTH]
