"""The ways in which a booking is refused."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from mindfulqalb.api.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator


class SlotTaken(Refusal):
    """Somebody else has that time, or the calendar will not give it."""

    code = "slot_taken"
    status = 409
    sentence = "This time has just been taken. Please choose another one; a payment you have made stays yours to use."


class NotMoved(SlotTaken):
    """The calendar will not give the time to which a session was to be moved."""

    sentence = "This time has just been taken. Your appointment stays where it is; please choose another one."


class SlotNotOffered(Refusal):
    """A time that is not for sale."""

    code = "slot_not_offered"
    status = 400
    sentence = "This time cannot be booked. Please choose one from the list."


class PaymentRequired(Refusal):
    """A session that costs money was to be booked without."""

    code = "payment_required"
    status = 402
    sentence = "This session has to be paid before it can be booked."


class PaymentAlreadyUsed(Refusal):
    """The payment has bought another session."""

    code = "payment_already_used"
    status = 409
    sentence = "This payment has already been used for a booking."


class PaymentForOtherSession(Refusal):
    """Paid for one kind of session, asked for another."""

    code = "payment_for_other_session"
    status = 400
    sentence = "This payment was made for another kind of session."


class FreeCallAlreadyBooked(Refusal):
    """One open free call per person."""

    code = "free_call_already_booked"
    status = 409
    sentence = "You already have a free call booked. Please use the link in your email to see, move or cancel it."


class TooManyHolds(Refusal):
    """Somebody keeps hours without paying them."""

    code = "too_many_holds"
    status = 429
    sentence = "You are already keeping other times. Please finish or wait a few minutes before you choose another one."


class TooManyFreeCalls(TooManyHolds):
    """One network has booked more free calls within a day than people do."""

    sentence = "Several free calls have been booked from your connection today. Please try again later, or write to us."


class NotCancellable(Refusal):
    """The session has begun, or it is not booked."""

    code = "not_cancellable"
    status = 409
    sentence = "This appointment cannot be cancelled any more. Please write to us."


class NotMovable(Refusal):
    """The session is not booked, begins too soon, or has been moved often enough."""

    code = "not_movable"
    status = 409
    sentence = "This appointment cannot be moved here any more. Please write to us, and we will find a time together."


class MoveUnderWay(Refusal):
    """Another new time has been asked for, and the calendar has not answered yet."""

    code = "move_under_way"
    status = 409
    sentence = "This appointment is being moved just now. We write to you as soon as the new time stands."


class NotConfirmable(Refusal):
    """Neither waiting for the calendar nor standing in it, or begun already."""

    code = "not_confirmable"
    status = 409
    sentence = "Only a session that is still to come, and booked or being booked, can be confirmed again."


class AlreadyBeingConfirmed(Refusal):
    """A second click: the mail has not gone out yet."""

    code = "already_being_confirmed"
    status = 409
    sentence = "Its confirmation is on its way already."


class NotBegun(Refusal):
    """Nobody can have missed a session that has not begun, or that was never booked."""

    code = "not_begun"
    status = 409
    sentence = "This session has not begun, or it was not booked."


class BeingPlaced(Refusal):
    """The address cannot change while the calendar may still be found to have the session under the old one."""

    code = "being_placed"
    status = 409
    sentence = "This session is just being written into the calendar. Please try again in a few minutes."


class NotInDoubt(Refusal):
    """Nobody asks whose wish it was, or it has been answered."""

    code = "not_in_doubt"
    status = 409
    sentence = "This is settled, or it is known who gave the session up."


class NotAConflict(Refusal):
    """There is nothing to put back: both sides agree, or the session is over."""

    code = "not_a_conflict"
    status = 409
    sentence = "This is settled, or its session has begun or is not booked any more."


class AlreadySettled(Refusal):
    """Somebody else was faster, or both sides agree by now."""

    code = "already_settled"
    status = 409
    sentence = "This is settled already."


class NotHeld(Refusal):
    """Only a slot that is kept and not yet booked can be let go by a click."""

    code = "not_held"
    status = 409
    sentence = "This booking cannot be cancelled here. Please write to us."


REFUSAL_OF_CONSTRAINT: dict[str, type[Refusal]] = {
    "booking_no_overlap": SlotTaken,
    "booking_payment_spent_once": PaymentAlreadyUsed,
    "booking_one_open_free_call": FreeCallAlreadyBooked,
}


@contextmanager
def database_refusals() -> Iterator[None]:
    """Say in words what a constraint refused; the statement's savepoint is rolled back, the transaction goes on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        refusal = REFUSAL_OF_CONSTRAINT.get(getattr(diagnosis, "constraint_name", None) or "")
        if refusal is None:
            raise
        raise refusal from error
