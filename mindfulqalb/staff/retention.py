"""How long the traces of staff logging in are kept."""

from __future__ import annotations

from django.contrib.sessions.models import Session

from mindfulqalb.retention.removers import keep_whole
from mindfulqalb.staff.models import KnownDevice, RefreshToken

DEVICES = keep_whole("known_device", KnownDevice, since="last_seen_at")
SESSIONS = keep_whole("session", Session, since="expire_date", ends="expire_date")
REFRESH_TOKENS = keep_whole("refresh_token", RefreshToken, since="created_at", ends="expires_at")
