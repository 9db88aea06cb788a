"""How long a receipt names whom it was for: as long as tax law wants to see it. Number and amount stay for ever."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from mindfulqalb.audit.doors import open_door
from mindfulqalb.encryption.rewriting import rewrite
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import CHANGED_AT_ONCE, chunks
from mindfulqalb.retention.states import Action
from payments.receipts.models import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindfulqalb.retention.registry import Removal


def take_recipients_out(pks: Sequence[Any], removal: Removal) -> None:
    """Leave receipts without a name and without the vendor's id, by which the vendor would know one."""
    with open_door("retention"):
        for chunk in chunks(pks, CHANGED_AT_ONCE):
            receipts = Receipt.objects.filter(pk__in=chunk)
            texts = {receipt.pk: {"content": _without_recipient(receipt)} for receipt in receipts}
            rewrite(Receipt, texts, anonymised_at=removal.now)


def _without_recipient(receipt: Receipt) -> str:
    content = json.loads(receipt.content) | {"vendor_id": ""}
    content["recipient"] |= {"name": ""}
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


RECEIPTS = keep(
    Retained(
        kind="receipt",
        model=Receipt,
        since="issued_at",
        holding=Q(anonymised_at=None),
        actions={Action.ANONYMISE: take_recipients_out},
    )
)
