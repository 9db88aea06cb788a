"""How long the traces of staff logging in are kept."""

from __future__ import annotations

from django.contrib.sessions.models import Session

from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action
from mindfulqalb.staff.models import KnownDevice, RefreshToken

DEVICES = keep(
    Retained(
        kind="known_device",
        model=KnownDevice,
        since="last_seen_at",
        actions={Action.ERASE: delete_rows(KnownDevice)},
    )
)
SESSIONS = keep(
    Retained(
        kind="session",
        model=Session,
        since="expire_date",
        ends="expire_date",
        actions={Action.ERASE: delete_rows(Session)},
    )
)
REFRESH_TOKENS = keep(
    Retained(
        kind="refresh_token",
        model=RefreshToken,
        since="created_at",
        ends="expires_at",
        actions={Action.ERASE: delete_rows(RefreshToken)},
    )
)
