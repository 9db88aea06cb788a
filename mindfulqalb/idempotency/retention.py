"""How long answers are kept to be given again."""

from __future__ import annotations

from mindfulqalb.idempotency.models import KeptAnswer
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action

ANSWERS = keep(
    Retained(
        kind="kept_answer",
        model=KeptAnswer,
        since="created_at",
        actions={Action.ERASE: delete_rows(KeptAnswer)},
    )
)
