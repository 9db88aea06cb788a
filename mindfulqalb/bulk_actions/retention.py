"""How long it is kept what was done to which rows; the audit trail says it for longer."""

from __future__ import annotations

from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.retention.removers import keep_whole

BULK_ACTIONS = keep_whole("bulk_action", BulkAction, since="finished_at", is_gathered=False)
