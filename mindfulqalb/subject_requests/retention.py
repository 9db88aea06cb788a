"""How long the register remembers who asked what."""

from __future__ import annotations

from django.db.models import Q

from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action
from mindfulqalb.subject_requests.models import SubjectRequest

REQUESTS = keep(
    Retained(
        kind="subject_request",
        model=SubjectRequest,
        since="received_at",
        person="email_hash",
        holding=Q(closed_at__isnull=False),
        actions={Action.ERASE: delete_rows(SubjectRequest)},
    )
)
