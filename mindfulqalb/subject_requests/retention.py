"""How long the register remembers who asked what."""

from __future__ import annotations

from django.db.models import Q

from mindfulqalb.retention.removers import keep_whole
from mindfulqalb.subject_requests.models import SubjectRequest

REQUESTS = keep_whole(
    "subject_request", SubjectRequest, since="received_at", person="email_hash", holding=Q(closed_at__isnull=False)
)
