from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import (
    FreeCallAlreadyBooked,
    PaymentAlreadyUsed,
    PaymentForOtherSession,
    PaymentRequired,
    SlotNotOffered,
    SlotTaken,
)
from bookings.services.booking import book_session, place_paid_hold
from bookings.states import BookingState
from bookings.tests.builders import JOHN, agreed, make_booking, make_catalogue, make_payment, make_wish, next_slot
from consent.refusals import ConsentRequired
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Refund
from payments.services import PaymentUnusable, UnknownPayment
from payments.states import Attention

if TYPE_CHECKING:
    from bookings.wishes import Wish
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def _wish(*, hour: int = 10, **overrides: object) -> Wish:
    slot = local(next_slot(hour))
    return make_wish(day=slot.date(), clock=slot.time(), **overrides)


def _held(wish: Wish, **overrides: object) -> Booking:
    return make_booking(wish=wish, **({"hold_expires_at": datetime.now(UTC) + timedelta(minutes=15)} | overrides))


def _topics() -> list[str]:
    return list(OutboxMessage.objects.order_by("sequence").values_list("topic", flat=True))


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def test_book_session_makes_a_paid_session_ours(now: datetime) -> None:
    payment = make_payment()
    wish = _wish()

    booking = book_session(wish=wish, payment_id=payment.provider_payment_id, now=now)

    booking.refresh_from_db()
    assert (booking.state, booking.payment, booking.payment_status) == (BookingState.PENDING, payment, "captured")
    assert (booking.session_type, booking.session_date, booking.session_time) == ("individual", wish.day, wish.clock)
    assert (booking.starts_at, booking.ends_at) == (wish.starts_at, wish.starts_at + timedelta(minutes=60))
    assert (booking.customer_name, booking.customer_email, booking.customer_phone) == (
        "Jane Doe",
        "jane@example.com",
        "+919876543210",
    )
    assert booking.consent is not None
    assert booking.consent.session_type == "individual"


def test_book_session_leaves_the_calendar_call_in_the_outbox(now: datetime) -> None:
    booking = book_session(wish=_wish(), payment_id=make_payment().provider_payment_id, now=now)

    message = OutboxMessage.objects.get()
    assert (message.topic, message.payload, message.due_at) == (
        "calendar.create",
        {"booking_id": str(booking.id)},
        now + timedelta(seconds=30),
    )


def test_book_session_repeated_returns_the_same_booking(now: datetime) -> None:
    payment_id = make_payment().provider_payment_id

    first = book_session(wish=_wish(), payment_id=payment_id, now=now)
    second = book_session(wish=_wish(), payment_id=payment_id, now=now)

    assert (second.id, Booking.objects.count(), _topics()) == (first.id, 1, ["calendar.create"])


@pytest.mark.parametrize("overrides", [{"customer": JOHN}, {"hour": 12}])
def test_book_session_spends_a_payment_once(overrides: dict[str, object], now: datetime) -> None:
    payment_id = make_payment().provider_payment_id
    book_session(wish=_wish(), payment_id=payment_id, now=now)

    with pytest.raises(PaymentAlreadyUsed):
        book_session(wish=_wish(**overrides), payment_id=payment_id, now=now)  # type: ignore[arg-type]

    assert Booking.objects.count() == 1


def test_book_session_takes_the_format_from_the_payment(now: datetime) -> None:
    payment = make_payment(item="individual-chat")

    booking = book_session(wish=_wish(session_format=None), payment_id=payment.provider_payment_id, now=now)

    assert (booking.session_format, booking.ends_at - booking.starts_at) == ("chat", timedelta(minutes=30))


@pytest.mark.parametrize("session_format", ["chat", None])
def test_book_session_sells_what_was_paid_for_though_it_was_taken_off_the_list(
    session_format: str | None, now: datetime
) -> None:
    payment = make_payment(item="individual-chat")
    SessionOffer.objects.filter(format="chat").update(is_active=False)

    booking = book_session(wish=_wish(session_format=session_format), payment_id=payment.provider_payment_id, now=now)

    assert (booking.state, booking.session_format) == (BookingState.PENDING, "chat")


@pytest.mark.parametrize("wanted", [("couples", "video"), ("individual", "audio"), ("free", None)])
def test_book_session_refuses_a_payment_for_another_session(wanted: tuple[str, str | None], now: datetime) -> None:
    wish = _wish(session_type=wanted[0], session_format=wanted[1])

    with pytest.raises(PaymentForOtherSession):
        book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)

    assert Booking.objects.count() == 0


def test_book_session_leaves_the_money_of_a_lost_slot_free(now: datetime) -> None:
    make_booking(wish=_wish(customer=JOHN), state=BookingState.PENDING)
    payment_id = make_payment().provider_payment_id

    with pytest.raises(SlotTaken):
        book_session(wish=_wish(), payment_id=payment_id, now=now)

    again = book_session(wish=_wish(hour=12), payment_id=payment_id, now=now)
    assert again.payment_id == payment_id


def test_book_session_needs_money_for_what_costs_money(now: datetime) -> None:
    with pytest.raises(PaymentRequired):
        book_session(wish=_wish(), payment_id=None, now=now)

    assert (Booking.objects.count(), _topics()) == (0, [])


def test_book_session_refuses_money_that_a_person_must_look_at(now: datetime) -> None:
    payment = make_payment(attention=Attention.AMOUNT)

    with pytest.raises(PaymentUnusable):
        book_session(wish=_wish(), payment_id=payment.provider_payment_id, now=now)


@pytest.mark.parametrize("forged", ["pay_00000000000000", "pi_123", "cs_test_123", "x", "order_"])
def test_book_session_refuses_a_forged_payment_id(forged: str, sandbox: SandboxProcess, now: datetime) -> None:
    with pytest.raises(UnknownPayment) as refusal:
        book_session(wish=_wish(), payment_id=forged, now=now)

    assert list(refusal.value.fields) == ["paymentId"]


def test_book_session_needs_consent(now: datetime) -> None:
    with pytest.raises(ConsentRequired):
        book_session(wish=_wish(consent_accepted=False), payment_id=make_payment().provider_payment_id, now=now)


def test_book_session_refuses_the_past(now: datetime) -> None:
    yesterday = local(next_slot(days=-1))

    with pytest.raises(SlotNotOffered):
        book_session(
            wish=make_wish(day=yesterday.date(), clock=yesterday.time()),
            payment_id=make_payment().provider_payment_id,
            now=now,
        )


def test_book_session_completes_the_clients_own_hold(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))

    booking = book_session(wish=_wish(), payment_id=payment.provider_payment_id, now=now)

    assert (booking.id, booking.state, booking.hold_expires_at) == (hold.id, BookingState.PENDING, None)


def test_book_session_revives_an_expired_hold_whose_slot_is_free(now: datetime) -> None:
    hold = _held(_wish(), state=BookingState.EXPIRED)
    payment = make_payment(reference=str(hold.id))

    booking = book_session(wish=_wish(), payment_id=payment.provider_payment_id, now=now)

    assert (booking.id, booking.state) == (hold.id, BookingState.PENDING)


def test_book_session_at_another_time_gives_the_hold_up(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))

    booking = book_session(wish=_wish(hour=12), payment_id=payment.provider_payment_id, now=now)

    hold.refresh_from_db()
    assert (hold.state, booking.state, booking.starts_at) == (
        BookingState.CANCELLED,
        BookingState.PENDING,
        next_slot(12),
    )


def test_book_session_tells_a_stranger_nothing_about_a_hold(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))

    with pytest.raises(PaymentAlreadyUsed):
        book_session(wish=_wish(customer=JOHN, hour=12), payment_id=payment.provider_payment_id, now=now)

    hold.refresh_from_db()
    assert hold.state == BookingState.HELD


@pytest.mark.parametrize(
    ("state", "released"),
    [(BookingState.REJECTED, False), (BookingState.EXPIRED, False), (BookingState.CANCELLED, True)],
)
@pytest.mark.parametrize("is_named_by", ["reference", "booking"])
def test_book_session_spends_nobody_elses_credit(
    state: BookingState, released: bool, is_named_by: str, now: datetime
) -> None:
    lost = _held(_wish(), state=state, payment_released_at=now if released else None)
    payment = make_payment(reference=str(lost.id) if is_named_by == "reference" else "")
    if is_named_by == "booking":
        Booking.objects.filter(id=lost.id).update(payment=payment)

    with pytest.raises(PaymentAlreadyUsed):
        book_session(wish=_wish(customer=JOHN, hour=12), payment_id=payment.provider_payment_id, now=now)

    own = book_session(wish=_wish(hour=12), payment_id=payment.provider_payment_id, now=now)
    assert (own.payment, Booking.objects.count()) == (payment, 1 if own.id == lost.id else 2)


def test_book_session_with_the_money_of_somebody_erased_is_free_of_them(now: datetime) -> None:
    erased = _held(_wish(), state=BookingState.REJECTED, customer_email_hash="")
    payment = make_payment(reference=str(erased.id))

    booking = book_session(wish=_wish(customer=JOHN), payment_id=payment.provider_payment_id, now=now)

    assert booking.payment == payment


def test_book_session_books_a_free_call_without_payment(now: datetime) -> None:
    wish = _wish(session_type="free", session_format=None)

    booking = book_session(wish=wish, payment_id=None, now=now)

    assert (booking.state, booking.payment, booking.payment_status) == (BookingState.PENDING, None, "not_required")


def test_book_session_of_a_free_call_completes_its_hold(now: datetime) -> None:
    hold = _held(_wish(session_type="free", session_format=None))
    wish = _wish(session_type="free", session_format=None, consent_id=hold.consent_id)

    assert book_session(wish=wish, payment_id=None, now=now).id == hold.id


def test_book_session_of_a_free_call_repeated_is_the_same(now: datetime) -> None:
    wish = _wish(session_type="free", session_format=None)

    first = book_session(wish=wish, payment_id=None, now=now)

    assert book_session(wish=wish, payment_id=None, now=now).id == first.id


def test_book_session_allows_one_open_free_call(now: datetime) -> None:
    first = agreed(_wish(session_type="free", session_format=None))
    book_session(wish=first, payment_id=None, now=now)
    wish = _wish(session_type="free", session_format=None, hour=12, consent_id=first.consent_id)

    with pytest.raises(FreeCallAlreadyBooked):
        book_session(wish=wish, payment_id=None, now=now)

    assert Booking.objects.count() == 1


def test_place_paid_hold_completes_the_hold_without_the_browser(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))

    placed = place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    hold.refresh_from_db()
    assert placed == hold
    assert (hold.state, hold.payment, _topics()) == (BookingState.PENDING, payment, ["calendar.create"])


def test_place_paid_hold_twice_changes_nothing_more(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))
    place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    again = place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    assert (again, _topics()) == (None, ["calendar.create"])


def test_place_paid_hold_has_nothing_to_do_without_a_hold(now: datetime) -> None:
    assert place_paid_hold(payment_id=make_payment().id, reference="", now=now) is None


def test_place_paid_hold_tells_the_client_when_the_slot_is_gone(now: datetime) -> None:
    hold = _held(_wish(), state=BookingState.EXPIRED)
    make_booking(wish=_wish(customer=JOHN), state=BookingState.PENDING)
    payment = make_payment(reference=str(hold.id))

    placed = place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    hold.refresh_from_db()
    assert (placed, hold.state, hold.payment) == (None, BookingState.EXPIRED, None)
    assert _topics() == ["email.slot_lost"]


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CONFIRMED, BookingState.COMPLETED])
def test_place_paid_hold_sends_a_second_payment_of_one_session_back(state: BookingState, now: datetime) -> None:
    booking = _held(_wish(), state=state, payment=make_payment(), calcom_booking_id="uid-1")
    second = make_payment(reference=str(booking.id))

    assert place_paid_hold(payment_id=second.id, reference=str(booking.id), now=now) is None

    booking.refresh_from_db()
    assert (booking.state, booking.payment_id != second.provider_payment_id) == (state, True)
    assert [(refund.payment, refund.reason) for refund in Refund.objects.all()] == [(second, "second_payment")]
    assert _topics() == ["refund.send"]


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.CANCELLED])
def test_place_paid_hold_sends_a_second_payment_back_though_the_first_one_is_free_again(
    state: BookingState, now: datetime
) -> None:
    booking = _held(_wish(), state=state, payment=make_payment(), payment_released_at=now)
    second = make_payment(reference=str(booking.id))

    place_paid_hold(payment_id=second.id, reference=str(booking.id), now=now)

    assert [(refund.payment, refund.reason) for refund in Refund.objects.all()] == [(second, "second_payment")]
    assert _topics() == ["refund.send"]


@pytest.mark.parametrize("first_is_told_of_first", [True, False])
def test_place_paid_hold_of_a_lost_slot_that_was_paid_twice_keeps_the_first_money_and_tells_of_it(
    first_is_told_of_first: bool, now: datetime
) -> None:
    hold = _held(_wish(), state=BookingState.EXPIRED)
    make_booking(wish=_wish(customer=JOHN), state=BookingState.PENDING)
    first, second = (
        make_payment(reference=str(hold.id), captured_at=now + timedelta(seconds=second)) for second in (1, 2)
    )

    for payment in (first, second) if first_is_told_of_first else (second, first):
        place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    assert [(refund.payment, refund.reason) for refund in Refund.objects.all()] == [(second, "second_payment")]
    assert sorted(_topics()) == ["email.slot_lost", "refund.send"]
    told = OutboxMessage.objects.get(topic="email.slot_lost")
    assert told.payload["payment_id"] == str(first.id)


def test_place_paid_hold_is_on_record_as_the_systems_act(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id))

    place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    assert [event.actor for event in AuditEvent.objects.filter(action="booking.placed")] == ["system"]


def test_place_paid_hold_tells_the_client_who_had_changed_their_mind(now: datetime) -> None:
    hold = _held(_wish(), state=BookingState.CANCELLED)
    payment = make_payment(reference=str(hold.id))

    assert place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now) is None
    assert _topics() == ["email.slot_lost"]


def test_place_paid_hold_asks_no_calendar_for_a_time_that_has_passed() -> None:
    hold = _held(_wish(), state=BookingState.EXPIRED)
    payment = make_payment(reference=str(hold.id))

    assert place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=hold.starts_at) is None

    hold.refresh_from_db()
    assert (hold.state, _topics()) == (BookingState.EXPIRED, ["email.slot_lost"])


def test_place_paid_hold_ignores_money_that_needs_attention(now: datetime) -> None:
    hold = _held(_wish())
    payment = make_payment(reference=str(hold.id), attention=Attention.AMOUNT)

    placed = place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    hold.refresh_from_db()
    assert (placed, hold.state, _topics()) == (None, BookingState.HELD, [])


def test_place_paid_hold_takes_an_overdue_rivals_place(now: datetime) -> None:
    hold = _held(_wish(), state=BookingState.EXPIRED)
    rival = _held(_wish(customer=JOHN), hold_expires_at=now - timedelta(seconds=1))
    payment = make_payment(reference=str(hold.id))

    place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    hold.refresh_from_db()
    rival.refresh_from_db()
    assert (hold.state, rival.state) == (BookingState.PENDING, BookingState.EXPIRED)
