"""How long answers are kept to be given again."""

from __future__ import annotations

from mindfulqalb.idempotency.models import KeptAnswer
from mindfulqalb.retention.removers import keep_whole

ANSWERS = keep_whole("kept_answer", KeptAnswer, since="created_at")
