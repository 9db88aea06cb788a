"""Carry out messages: claim, run the handler, write down what came of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from mindfulqalb.observability.metrics import DELIVERIES
from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.observability.traces import bound_task
from mindfulqalb.outbox.claims import Outcome, claim, conclude, release
from mindfulqalb.outbox.failures import describe, is_permanent, pause_after
from mindfulqalb.outbox.registry import Delivery, RetryLater, handler_for, mourners
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from uuid import UUID

    from mindfulqalb.outbox.models import OutboxMessage

logger = logging.getLogger(__name__)


class Shift:
    """The time of one task: `now` goes on from the moment given, for a lease must start when it is taken."""

    def __init__(self, start: datetime) -> None:
        """Start at `start`."""
        self._start = start
        self._started = monotonic()

    def now(self) -> datetime:
        """Tell the time."""
        return self._start + timedelta(seconds=monotonic() - self._started)

    def is_over(self) -> bool:
        """Tell whether to leave the rest to the next sweep, before the task runs into its time limit."""
        return monotonic() - self._started >= float(settings.OUTBOX_SWEEP_SECONDS)


def deliver_message(*, message_id: UUID, now: datetime) -> None:
    """Deliver a message if it is its turn, and then those of its lane that waited for it.

    Does nothing when the message is not due, finished, in another worker's hands, or has to wait for an earlier one.
    """
    shift = Shift(now)
    message = claim(now=shift.now(), message_id=message_id)
    while message:
        _attempt(message, shift)
        message = None if shift.is_over() else claim(now=shift.now(), lane=message.lane)


def deliver_due(*, now: datetime, limit: int) -> int:
    """Deliver what is due, longest overdue first, `limit` attempts at most; return how many were made."""
    shift = Shift(now)
    attempted = 0
    while attempted < limit and not shift.is_over() and (message := claim(now=shift.now())):
        _attempt(message, shift)
        attempted += 1
    return attempted


def _attempt(message: OutboxMessage, shift: Shift) -> None:
    delivery = Delivery(
        message_id=message.id,
        topic=message.topic,
        lane=message.lane,
        payload=message.payload,
        attempts=message.attempts,
        now=shift.now(),
    )
    # The trail goes on where it began: whoever reads the log of a request finds what came of it here.
    with bound_request_id(message.request_id), bound_task(str(message.id)):
        _carry_through(delivery, message, shift)


def _carry_through(delivery: Delivery, message: OutboxMessage, shift: Shift) -> None:
    outcome = _carry_out(delivery, message, shift)
    DELIVERIES.labels(message.topic, outcome.state.lower()).inc()
    if not _write_down(outcome, message, delivery, shift):
        release(message)
        logger.info("outbox message %s was settled or taken over during its delivery", message.id)


def _carry_out(delivery: Delivery, message: OutboxMessage, shift: Shift) -> Outcome:
    done = Outcome(State.DELIVERED, message.due_at, message.attempts, message.last_error)
    if message.attempts > settings.OUTBOX_MAX_ATTEMPTS:
        return replace(done, state=State.DEAD, last_error="The worker of the last attempt never reported back")
    try:
        handler_for(delivery.topic)(delivery)
    except RetryLater as later:
        # The claim counted an attempt, so that one that kills its worker counts; this one does not.
        return replace(done, state=State.PENDING, due_at=shift.now() + later.after, attempts=message.attempts - 1)
    except Exception as failure:  # noqa: BLE001 - whatever a handler raises is an outcome
        return _failed(failure, done, message, shift)
    return done


def _failed(failure: Exception, done: Outcome, message: OutboxMessage, shift: Shift) -> Outcome:
    failed = replace(done, last_error=describe(failure))
    logger.warning("outbox message %s of topic %s failed: %s", message.id, message.topic, failed.last_error)
    if is_permanent(failure) or message.attempts >= settings.OUTBOX_MAX_ATTEMPTS:
        return replace(failed, state=State.DEAD)
    pause = pause_after(failure, attempts=message.attempts)
    return replace(failed, state=State.PENDING, due_at=shift.now() + pause)


def _write_down(outcome: Outcome, message: OutboxMessage, delivery: Delivery, shift: Shift) -> bool:
    if outcome.state != State.DEAD:
        return conclude(message, outcome, now=shift.now())
    with transaction.atomic():
        # Services lock the booking before its messages; whoever mourns does so first, for the same order.
        _mourn(delivery)
        is_ours = conclude(message, outcome, now=shift.now())
        if not is_ours:
            transaction.set_rollback(True)
    if is_ours:
        logger.error("outbox message %s of topic %s is dead", message.id, message.topic)
    return is_ours


def _mourn(delivery: Delivery) -> None:
    if mourner := mourners.get(delivery.topic):
        try:
            with transaction.atomic():
                mourner(delivery)
        except Exception as failure:  # noqa: BLE001 - a message that cannot die would close its lane for ever
            logger.error(  # noqa: TRY400 - the traceback's last line may quote personal data
                "outbox message %s of topic %s is not mourned: %s",
                delivery.message_id,
                delivery.topic,
                describe(failure),
            )
