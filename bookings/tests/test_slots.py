from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import time, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from bookings.models import Booking
from bookings.refusals import SlotTaken
from bookings.services.drafts import draft_booking
from bookings.slots import claim_slot, lock_therapists
from bookings.states import BookingState
from bookings.tests.builders import JOHN, NOW, make_booking, make_catalogue, make_offer, make_payment, make_wish
from consent.services import settle_consent
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.tests.builders import make_therapist


def _rival(**overrides: object) -> Booking:
    """John's draft for the same slot."""
    wish = make_wish(customer=JOHN, **overrides)
    offer = make_offer(f"{wish.session_type}-{wish.session_format}")
    consent = settle_consent(
        session_type=offer.session_type,
        email=JOHN.email,
        consent_id=None,
        accepted=True,
        circumstances=wish.circumstances,
        now=NOW,
    )
    return draft_booking(wish=wish, offer=offer, consent=consent, state=BookingState.PENDING, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.PENDING])
def test_claim_slot_refuses_an_occupied_time(state: BookingState) -> None:
    make_booking(state=state)

    with pytest.raises(SlotTaken):
        claim_slot(_rival(), now=NOW)

    assert Booking.objects.count() == 1


@pytest.mark.django_db
def test_claim_slot_refuses_an_overlap_of_a_minute() -> None:
    make_booking(state=BookingState.PENDING)

    with pytest.raises(SlotTaken):
        claim_slot(_rival(clock=time(10, 59)), now=NOW)


@pytest.mark.django_db
def test_claim_slot_lets_sessions_follow_each_other() -> None:
    make_booking(state=BookingState.PENDING)

    claim_slot(_rival(clock=time(11, 0)), now=NOW)

    assert Booking.objects.occupying().count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("state", [BookingState.EXPIRED, BookingState.REJECTED, BookingState.CANCELLED])
def test_claim_slot_takes_what_is_free_again(state: BookingState) -> None:
    make_booking(state=state)

    claim_slot(_rival(), now=NOW)

    assert Booking.objects.occupying().count() == 1


@pytest.mark.django_db
def test_claim_slot_expires_an_overdue_hold_in_its_way() -> None:
    overdue = make_booking(hold_expires_at=NOW - timedelta(seconds=1))

    claim_slot(_rival(), now=NOW)

    overdue.refresh_from_db()
    assert overdue.state == BookingState.EXPIRED
    assert AuditEvent.objects.filter(action="booking.expired", target=f"booking:{overdue.id}").count() == 1


@pytest.mark.django_db
def test_claim_slot_respects_a_hold_until_its_last_second() -> None:
    make_booking(hold_expires_at=NOW + timedelta(seconds=1))

    with pytest.raises(SlotTaken):
        claim_slot(_rival(), now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("clock", "buffers", "is_taken"),
    [
        (time(11, 14), (15, 0), True),
        (time(11, 15), (15, 0), False),
        (time(9, 0), (0, 15), True),
        (time(8, 45), (0, 15), False),
        (time(9, 0), (15, 0), False),
    ],
)
def test_claim_slot_keeps_the_buffer_after_each_session(clock: time, buffers: tuple[int, int], is_taken: bool) -> None:
    """The session at ten has the first buffer, its rival the second one."""
    make_booking(state=BookingState.PENDING, buffer_minutes=buffers[0])
    rival = _rival(clock=clock)
    rival.buffer_minutes = buffers[1]

    with pytest.raises(SlotTaken) if is_taken else nullcontext():
        claim_slot(rival, now=NOW)

    assert Booking.objects.count() == (1 if is_taken else 2)


@pytest.mark.django_db
def test_draft_takes_the_buffer_of_its_offer() -> None:
    make_catalogue()
    SessionOffer.objects.update(buffer_minutes=10)

    rival = _rival()

    assert (rival.buffer_minutes, rival.occupied_until - rival.ends_at) == (10, timedelta(minutes=10))


@pytest.mark.django_db
def test_database_keeps_the_buffer_by_itself() -> None:
    make_booking(state=BookingState.PENDING, buffer_minutes=15)

    with pytest.raises(IntegrityError, match="booking_no_overlap"), transaction.atomic():
        _rival(clock=time(11, 14)).save()
    _rival(clock=time(11, 15)).save()


@pytest.mark.django_db
def test_database_keeps_the_buffer_per_therapist() -> None:
    make_booking(state=BookingState.PENDING, buffer_minutes=15)
    rival = _rival(clock=time(11, 0))
    rival.therapist = make_therapist(slug="ravi", name="Dr. Ravi")

    rival.save()

    assert Booking.objects.occupying().count() == 2


@pytest.mark.django_db
def test_database_refuses_an_overlap_by_itself() -> None:
    make_booking(state=BookingState.PENDING)

    with pytest.raises(IntegrityError, match="booking_no_overlap"), transaction.atomic():
        _rival().save()


@pytest.mark.django_db
def test_database_refuses_to_spend_a_payment_twice() -> None:
    payment = make_payment()
    make_booking(state=BookingState.PENDING, payment=payment)
    second = make_wish(customer=JOHN, clock=time(15, 0))

    with pytest.raises(IntegrityError, match="booking_payment_spent_once"), transaction.atomic():
        make_booking(wish=second, state=BookingState.PENDING, payment=payment)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [BookingState.EXPIRED, BookingState.REJECTED])
def test_database_lets_a_returned_payment_be_spent_again(state: BookingState) -> None:
    payment = make_payment()
    make_booking(state=state, payment=payment)

    again = make_booking(wish=make_wish(clock=time(15, 0)), state=BookingState.PENDING, payment=payment)

    assert again.payment == payment


@pytest.mark.django_db
def test_database_refuses_a_second_open_free_call() -> None:
    make_booking(wish=make_wish(session_type="free", session_format=None), state=BookingState.PENDING)
    other = make_wish(session_type="free", session_format=None, clock=time(15, 0))

    with pytest.raises(IntegrityError, match="booking_one_open_free_call"), transaction.atomic():
        make_booking(wish=other, state=BookingState.PENDING)


@pytest.mark.django_db
def test_database_lets_a_free_call_be_held_beside_the_open_one() -> None:
    make_booking(wish=make_wish(session_type="free", session_format=None), state=BookingState.PENDING)

    hold = make_booking(wish=make_wish(session_type="free", session_format=None, clock=time(15, 0)))

    assert hold.state == BookingState.HELD


@pytest.mark.django_db
def test_database_refuses_a_confirmed_booking_without_its_calendar_entry() -> None:
    with pytest.raises(IntegrityError, match="booking_confirmed_in_calendar"), transaction.atomic():
        make_booking(state=BookingState.CONFIRMED)


@pytest.mark.django_db
def test_database_refuses_a_hold_without_an_end() -> None:
    with pytest.raises(IntegrityError, match="booking_hold_ends"), transaction.atomic():
        make_booking(hold_expires_at=None)


@pytest.mark.django_db(transaction=True)
def test_claim_slot_gives_one_slot_to_one_of_many_connections() -> None:
    make_catalogue()
    draft = _rival()
    consent = draft.consent
    assert consent is not None

    def claim(_: int) -> str:
        rival = draft_booking(
            wish=make_wish(customer=JOHN), offer=draft.offer, consent=consent, state=BookingState.PENDING, now=NOW
        )
        try:
            with transaction.atomic():
                lock_therapists(rival.therapist_id)
                claim_slot(rival, now=NOW)
        except SlotTaken:
            return "taken"
        finally:
            connection.close()
        return "mine"

    with ThreadPoolExecutor(8) as crowd:
        results = list(crowd.map(claim, range(24)))

    assert (results.count("mine"), results.count("taken")) == (1, 23)
    assert Booking.objects.occupying().count() == 1
