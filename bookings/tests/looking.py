"""What a client's browser sees of our pages."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from bookings.links import token_of
from bookings.models import Booking
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage

HELPLINES = [f"tel:{helpline['phone']}" for helpline in settings.HELPLINES]


def path_of(booking: Booking, *, now: datetime | None = None) -> str:
    return f"/manage/{token_of(booking, now=now or datetime.now(UTC))}"


def text_of(response: Any) -> str:
    return html.unescape(response.content.decode())


def helplines_of(response: Any) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="(tel:[^"]+)"', response.content.decode())))


def all_rows() -> list[object]:
    """Everything that a look must leave as it is."""
    tables = (Booking, OutboxMessage, AuditEvent)
    return [list(table.objects.order_by("id").values()) for table in tables]
