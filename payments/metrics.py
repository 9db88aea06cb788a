"""Money that a person must look at, in numbers for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.observability.metrics import gauge
from payments.models import Refund
from payments.queries import needing_a_person
from payments.states import RefundState

if TYPE_CHECKING:
    from datetime import datetime


@gauge("payments_needing_attention", "Captured payments that buy nothing until a person decides.")
def needing_attention(now: datetime) -> int:
    """Count them."""
    return needing_a_person().count()


@gauge("refunds", "Refunds that failed, and those that are under way at a gateway.", label="state")
def refunds(now: datetime) -> dict[str, int]:
    """Count both."""
    watched = {"failed": RefundState.FAILED, "pending": RefundState.PENDING}
    return {name: Refund.objects.filter(state=state).count() for name, state in watched.items()}
