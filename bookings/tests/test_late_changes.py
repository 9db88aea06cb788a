"""What is cancelled or moved late at Cal.com, where anybody with the link may do it under any name or none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from bookings.credits import credit_of
from bookings.letters import cancelled_letter
from bookings.models import Booking, CalendarFinding
from bookings.practice_time import local
from bookings.refusals import NotInDoubt
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, quote_cancellation
from bookings.services.endings import complete_sessions
from bookings.services.placement import place_in_calendar
from bookings.services.reconciliation import poll_calendar, reconcile_uid
from bookings.services.settling import answer_for_practice
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import CancellationRule
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Refund
from payments.refunds import NothingToRefund

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NEW = next_slot(15, days=9)
HALF, ALL = 64950, 129900
NOBODY, STRANGER = "", "nobody.we.know@example.com"


@pytest.fixture
def booked(db: None, sandbox: SandboxProcess, now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _begins(booking: Booking, after: timedelta, now: datetime) -> None:
    Booking.objects.filter(id=booking.id).update(starts_at=now + after, ends_at=now + after + timedelta(hours=1))


def _cancelled(booking: Booking, sandbox: SandboxProcess, now: datetime, by: str) -> Booking:
    sandbox.change_booking(booking.calcom_booking_id or "", "cancel", by=by)
    poll_calendar(now=now)
    booking.refresh_from_db()
    return booking


def _moved(booking: Booking, sandbox: SandboxProcess, now: datetime, by: str) -> Booking:
    sandbox.change_booking(booking.calcom_booking_id or "", "reschedule", start=NEW.isoformat(), by=by)
    poll_calendar(now=now)
    booking.refresh_from_db()
    return booking


def _refunds() -> list[tuple[int, str]]:
    return list(Refund.objects.order_by("requested_at", "amount_minor").values_list("amount_minor", "reason"))


def _in_doubt() -> list[str]:
    found = CalendarFinding.objects.filter(kind="IN_DOUBT", settled_at=None)
    return list(found.values_list("calendar_state", flat=True))


# Cancelled


@pytest.mark.parametrize("by", [NOBODY, STRANGER])
def test_cancelled_late_by_somebody_unknown_gives_what_the_rules_give_and_asks_staff(
    by: str, booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, timedelta(minutes=10), now)

    cancelled = _cancelled(booked, sandbox, now, by)

    assert (cancelled.state, cancelled.payment_released_at) == (BookingState.CANCELLED, None)
    assert (_refunds(), _in_doubt()) == ([(HALF, "cancelled_in_calendar")], ["cancelled"])
    assert cancelled_letter(cancelled, now=now).context["refund"] == "\N{INDIAN RUPEE SIGN}649.50"


def test_cancelled_late_by_a_host_lets_the_client_choose(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, timedelta(minutes=10), now)

    cancelled = _cancelled(booked, sandbox, now, "host")

    assert (cancelled.state, cancelled.payment_released_at) == (BookingState.CANCELLED, now)
    assert (_refunds(), _in_doubt()) == ([], [])


def test_cancelled_in_time_by_somebody_unknown_lets_the_client_choose(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    cancelled = _cancelled(booked, sandbox, now, NOBODY)

    assert (cancelled.payment_released_at, _refunds(), _in_doubt()) == (now, [], [])


def test_client_is_known_by_the_address_in_the_calendar_after_a_correction(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, timedelta(minutes=10), now)
    booked.refresh_from_db()
    booked.customer_email = "jane.corrected@example.com"
    booked.save(update_fields=["customer_email"])

    _cancelled(booked, sandbox, now, "client")

    assert (_refunds(), _in_doubt()) == ([(HALF, "cancelled_by_client")], [])


@pytest.mark.parametrize("by", [NOBODY, "client", "host"])
def test_cancelled_after_it_began_moves_no_money_and_asks_staff(
    by: str, booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, -timedelta(minutes=58), now)

    begun = _cancelled(booked, sandbox, now, by)
    poll_calendar(now=now)

    assert (begun.state, begun.payment_released_at) == (BookingState.CONFIRMED, None)
    assert (_refunds(), _in_doubt()) == ([], ["cancelled"])
    assert set(CalendarFinding.objects.values_list("kind", flat=True)) == {"IN_DOUBT"}
    assert not OutboxMessage.objects.filter(topic="email.cancelled").exists()


def test_cancelled_before_it_began_and_heard_later_counts_from_then(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    """The calendar was silent meanwhile; when it was cancelled, the calendar says."""
    sandbox.change_booking(booked.calcom_booking_id or "", "cancel", by="host")

    reconcile_uid(uid=booked.calcom_booking_id or "", now=booked.starts_at + timedelta(minutes=5))

    booked.refresh_from_db()
    assert (booked.state, booked.payment_released_at is None, _in_doubt()) == (BookingState.CANCELLED, False, [])


def test_cancelled_during_the_session_and_heard_after_it_asks_staff(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, -timedelta(minutes=61), now)
    complete_sessions(now=now)

    done = _cancelled(booked, sandbox, now, NOBODY)

    assert (done.state, _refunds(), _in_doubt()) == (BookingState.COMPLETED, [], ["cancelled"])


# Moved


@pytest.mark.parametrize("by", [NOBODY, STRANGER, "client"])
def test_late_move_by_nobody_of_the_practice_wins_no_notice(
    by: str, booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    """At half: moved to next week there, and cancelled here for all of it."""
    _begins(booked, timedelta(hours=2), now)

    moved = _moved(booked, sandbox, now, by)

    assert (moved.starts_at, quote_cancellation(moved, now=now).percent) == (NEW, 50)
    assert _in_doubt() == ([] if by == "client" else ["accepted"])
    cancel_by_client(booking_id=moved.id, now=now)
    assert _refunds() == [(HALF, "cancelled_by_client")]


def test_moves_by_a_host_or_in_time_count_from_the_new_time(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    in_time = _moved(booked, sandbox, now, NOBODY)
    in_time_percent = quote_cancellation(in_time, now=now).percent
    _begins(booked, timedelta(hours=2), now)
    sandbox.change_booking(in_time.calcom_booking_id or "", "reschedule", start=next_slot(11, days=8).isoformat())
    poll_calendar(now=now)

    booked.refresh_from_db()
    assert (in_time_percent, quote_cancellation(booked, now=now).percent, _in_doubt()) == (100, 100, [])


def test_late_move_that_is_cancelled_there_too_is_asked_about_again(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, timedelta(hours=2), now)
    moved = _moved(booked, sandbox, now, NOBODY)

    _cancelled(moved, sandbox, now, NOBODY)

    assert (_refunds(), _in_doubt()) == ([(HALF, "cancelled_in_calendar")], ["cancelled"])


# Staff answer


def _asked(booked: Booking, sandbox: SandboxProcess, now: datetime) -> CalendarFinding:
    _begins(booked, timedelta(minutes=10), now)
    _cancelled(booked, sandbox, now, NOBODY)
    return CalendarFinding.objects.get(kind="IN_DOUBT")


def test_answer_for_practice_gives_the_rest_once(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    finding = _asked(booked, sandbox, now)

    answer_for_practice(finding_id=finding.id, actor="staff:1", now=now)
    with pytest.raises(NotInDoubt):
        answer_for_practice(finding_id=finding.id, actor="staff:1", now=now)
    poll_calendar(now=now)

    assert _refunds() == [(HALF, "cancelled_in_calendar"), (ALL - HALF, "cancelled_by_practice")]
    assert (_in_doubt(), AuditEvent.objects.get(action="booking.given_up_by_practice").actor) == ([], "staff:1")


def test_answer_for_practice_lets_the_client_choose_where_nothing_has_gone_back(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    CancellationRule.objects.all().delete()
    finding = _asked(booked, sandbox, now)

    answer_for_practice(finding_id=finding.id, actor="staff:1", now=now)

    booked.refresh_from_db()
    credit = credit_of(booked)
    assert (credit and credit.amount.amount_minor, _refunds()) == (ALL, [])
    assert OutboxMessage.objects.filter(topic="email.cancelled").count() == 2


def test_answer_for_practice_of_a_move_bounds_the_refund_no_more(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, timedelta(hours=2), now)
    moved = _moved(booked, sandbox, now, NOBODY)

    answer_for_practice(finding_id=CalendarFinding.objects.get().id, actor="staff:1", now=now)

    moved.refresh_from_db()
    assert (quote_cancellation(moved, now=now).percent, _refunds()) == (100, [])


def test_answer_for_practice_of_a_session_that_had_begun_gives_all(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _begins(booked, -timedelta(minutes=5), now)
    _cancelled(booked, sandbox, now, "host")

    answer_for_practice(finding_id=CalendarFinding.objects.get().id, actor="staff:1", now=now)

    assert _refunds() == [(ALL, "cancelled_by_practice")]


def test_answer_for_practice_refuses_where_nothing_is_left(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    finding = _asked(booked, sandbox, now)
    Refund.objects.update(amount_minor=ALL)

    with pytest.raises(NothingToRefund):
        answer_for_practice(finding_id=finding.id, actor="staff:1", now=now)

    assert _in_doubt() == ["cancelled"]


def test_findings_action_gives_the_rest(
    booked: Booking, sandbox: SandboxProcess, admin_client: Client, now: datetime
) -> None:
    finding = _asked(booked, sandbox, now)
    url = reverse("admin:bookings_calendarfinding_changelist")
    data = {"action": "give_the_rest", ACTION_CHECKBOX_NAME: str(finding.pk)}

    question = admin_client.post(url, data).content.decode()
    admin_client.post(url, data | {"confirmed": "yes"})

    assert "It was the practice" in question
    assert _refunds()[1:] == [(ALL - HALF, "cancelled_by_practice")]


# What the client reads


def test_cancelled_letter_says_when_nobody_knows_whose_wish_it_was(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    finding = _asked(booked, sandbox, now)

    in_doubt = cancelled_letter(booked, now=now).context["is_in_doubt"]
    answer_for_practice(finding_id=finding.id, actor="staff:1", now=now)

    assert (in_doubt, cancelled_letter(booked, now=now).context["is_in_doubt"]) == (True, False)
