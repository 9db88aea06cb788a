"""Messages and processes for the outbox's tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.db import connection

from mindfulqalb.outbox.models import OutboxMessage

Handle = Callable[..., None]

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def make_message(**overrides: Any) -> OutboxMessage:
    """Put a pending message, due now, into a lane of its own."""
    values = {"topic": "test.work", "lane": "booking:1", "payload": {}, "due_at": NOW, "created_at": NOW}
    return OutboxMessage.objects.create(**{**values, **overrides})


def read(message: OutboxMessage, *columns: str) -> tuple[Any, ...]:
    """Read columns of a message from the database."""
    values: tuple[Any, ...] = OutboxMessage.objects.values_list(*columns).get(id=message.id)
    return values


def start_python(*arguments: str) -> subprocess.Popen[str]:
    """Start another process on the database of this test."""
    environment = {**os.environ, "DATABASE_URL": _database_url()}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _database_url() -> str:
    database = connection.settings_dict
    user, password, host, name = (quote(str(database[key]), safe="") for key in ("USER", "PASSWORD", "HOST", "NAME"))
    return f"postgresql://{user}:{password}@{host}:{database['PORT']}/{name}"
