"""Do one thing to one row, in a transaction of its own, and say what came of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.outbox.failures import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mindfulqalb.staff.models import StaffMember

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Instruction:
    """Who asks, and what they typed: why (`reason`), and what the question's `input_label` asks for (`value`)."""

    member: StaffMember
    reason: str
    value: str
    now: datetime

    @property
    def actor(self) -> str:
        """Spell who asks as the audit trail does."""
        return f"staff:{self.member.pk}"


@dataclass(frozen=True)
class Outcome:
    """What became of a row; `sentence` says why it was not done."""

    state: RowState
    sentence: str = ""


def act_on(row: Any, act: Callable[[Any, Instruction], object], told: Instruction) -> Outcome:
    """Act on a row: all of it or, where it is refused or goes wrong, nothing.

    Raises OperationalError, of a deadlock or a lost connection, for whoever can try again.
    """
    try:
        with transaction.atomic():
            act(row, told)
    except Refusal as refusal:
        return Outcome(RowState.REFUSED, refusal.detail)
    except OperationalError:
        raise
    except Exception as failure:  # noqa: BLE001 - one row that goes wrong does not stop the others
        return went_wrong(failure)
    return Outcome(RowState.DONE)


def went_wrong(failure: Exception) -> Outcome:
    """Put a failure that is nobody's rule on record, and name it without personal data."""
    logger.error("an action on a row failed: %s", describe(failure))  # the traceback may quote the row
    return Outcome(RowState.FAILED, f"This went wrong here, and nothing was changed ({describe(failure)}).")
