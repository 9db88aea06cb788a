from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import PaymentRequired, SlotNotOffered, SlotTaken, TooManyHolds
from bookings.services.holds import Hold, expire_holds, hold_slot
from bookings.states import BookingState
from bookings.tests.builders import JOHN, NOW, agreed, make_booking, make_catalogue, make_wish, next_slot
from bookings.wishes import Customer, Wish
from consent.models import ConsentRecord
from consent.refusals import ConsentRequired
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment
from payments.services import Checkout

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

CHECKOUT = Checkout(payer_email="jane@example.com", success_url="http://127.0.0.1/ok", cancel_url="http://127.0.0.1/no")


def _wish(*, hour: int = 10, **overrides: object) -> Wish:
    slot = local(next_slot(hour))
    return make_wish(day=slot.date(), clock=slot.time(), **overrides)


def _hold(wish: Wish, pay_with: str | None = "razorpay", *, now: datetime | None = None) -> Hold:
    return hold_slot(wish=wish, pay_with=pay_with, checkout=CHECKOUT, now=now or datetime.now(UTC))


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def test_hold_slot_keeps_the_slot_and_asks_for_the_catalogues_price(sandbox: SandboxProcess) -> None:
    hold = _hold(_wish())

    assert hold.payment is not None
    assert (hold.booking.state, hold.booking.payment_id) == (BookingState.HELD, None)
    assert (hold.payment.amount_minor, hold.payment.currency, hold.payment.reference) == (
        129900,
        "INR",
        str(hold.booking.id),
    )
    orders = sandbox.state()["razorpay"]["orders"]
    assert [(order["id"], order["amount"], order["receipt"]) for order in orders] == [
        (hold.payment.provider_order_id, 129900, str(hold.payment.id))
    ]


def test_hold_slot_with_stripe_asks_in_dollars(sandbox: SandboxProcess) -> None:
    hold = _hold(_wish(), "stripe")

    assert hold.payment is not None
    assert (hold.payment.amount_minor, hold.payment.currency) == (1600, "USD")
    assert hold.payment.checkout_url.startswith(sandbox.url)


def test_hold_slot_ends_after_the_settings_minutes(sandbox: SandboxProcess, settings: Settings) -> None:
    settings.HOLD_MINUTES = 7
    now = datetime.now(UTC)

    hold = _hold(_wish(), now=now)

    assert hold.booking.hold_expires_at == now + timedelta(minutes=7)


def test_hold_slot_repeated_is_the_same_hold_and_order(sandbox: SandboxProcess) -> None:
    first = _hold(agreed(_wish()))
    second = _hold(_wish(consent_id=first.booking.consent_id))

    assert (second.booking, second.payment) == (first.booking, first.payment)
    assert sandbox.calls("razorpay.orders.create") == 1


def test_hold_slot_repeated_with_another_gateway_keeps_the_slot_and_makes_another_order(
    sandbox: SandboxProcess,
) -> None:
    first = _hold(agreed(_wish()))
    second = _hold(_wish(consent_id=first.booking.consent_id), "stripe")

    assert second.booking == first.booking
    assert sorted(Payment.objects.values_list("gateway", flat=True)) == ["razorpay", "stripe"]


def test_hold_slot_refuses_somebody_elses_hour(sandbox: SandboxProcess) -> None:
    _hold(_wish())

    with pytest.raises(SlotTaken):
        _hold(_wish(customer=JOHN))


def test_hold_slot_repeated_takes_over_what_the_client_corrected(sandbox: SandboxProcess) -> None:
    first = _hold(agreed(_wish()))
    corrected = Customer(name="Jane Dough", email="jane@example.com", phone=None)

    _hold(_wish(consent_id=first.booking.consent_id, customer=corrected))

    booking = Booking.objects.get()
    assert (booking.customer_name, booking.customer_phone, booking.customer_phone_hash) == ("Jane Dough", None, "")


@pytest.mark.parametrize("session_format", ["video", "chat"])
def test_hold_slot_gives_a_stranger_who_knows_the_email_nothing(session_format: str, sandbox: SandboxProcess) -> None:
    hold = _hold(_wish())

    with pytest.raises(SlotTaken):
        _hold(_wish(session_format=session_format))

    hold.booking.refresh_from_db()
    assert hold.booking.state == BookingState.HELD


def test_hold_slot_in_another_format_replaces_the_clients_own_hold(sandbox: SandboxProcess) -> None:
    first = _hold(agreed(_wish()))

    second = _hold(_wish(session_format="chat", consent_id=first.booking.consent_id))

    first.booking.refresh_from_db()
    assert (first.booking.state, second.booking.state) == (BookingState.CANCELLED, BookingState.HELD)


def test_hold_slot_of_a_free_call_needs_no_payment(sandbox: SandboxProcess) -> None:
    hold = _hold(_wish(session_type="free", session_format=None), None)

    assert (hold.payment, hold.booking.payment_status) == (None, "not_required")


def test_hold_slot_of_a_free_call_moves_with_the_clients_mind(sandbox: SandboxProcess) -> None:
    first = _hold(agreed(_wish(session_type="free", session_format=None)), None)

    wish = _wish(session_type="free", session_format=None, hour=12, consent_id=first.booking.consent_id)
    second = _hold(wish, None)

    first.booking.refresh_from_db()
    assert (first.booking.state, second.booking.state) == (BookingState.CANCELLED, BookingState.HELD)


def test_hold_slot_of_a_paid_session_needs_a_way_to_pay(sandbox: SandboxProcess) -> None:
    with pytest.raises(PaymentRequired) as refusal:
        _hold(_wish(), None)

    assert list(refusal.value.fields) == ["payWith"]


def test_hold_slot_bounds_how_many_times_one_person_keeps(sandbox: SandboxProcess) -> None:
    _hold(_wish(hour=9))
    _hold(_wish(hour=11))

    with pytest.raises(TooManyHolds):
        _hold(_wish(hour=13))

    assert Booking.objects.count() == 2


def test_hold_slot_bounds_how_many_times_one_address_keeps(sandbox: SandboxProcess, settings: Settings) -> None:
    settings.HOLDS_PER_ADDRESS = 1
    _hold(_wish(hour=9))

    with pytest.raises(TooManyHolds):
        _hold(_wish(hour=11, customer=JOHN))


def test_hold_slot_bound_forgets_overdue_holds(sandbox: SandboxProcess) -> None:
    for hour in (9, 11):
        make_booking(wish=make_wish(clock=time(hour, 0)), hold_expires_at=datetime.now(UTC))

    assert _hold(_wish(hour=13)).booking.state == BookingState.HELD


@pytest.mark.parametrize(("hour", "minute"), [(3, 0), (10, 7), (23, 30)])
def test_hold_slot_refuses_a_time_that_the_calendar_does_not_list(
    sandbox: SandboxProcess, hour: int, minute: int
) -> None:
    with pytest.raises(SlotNotOffered):
        _hold(make_wish(day=local(next_slot()).date(), clock=time(hour, minute)))

    assert (Booking.objects.count(), Payment.objects.count()) == (0, 0)


@pytest.mark.parametrize("days", [-1, 400])
def test_hold_slot_refuses_the_past_and_the_far_future(sandbox: SandboxProcess, days: int) -> None:
    slot = local(next_slot(days=days))

    with pytest.raises(SlotNotOffered) as refusal:
        _hold(make_wish(day=slot.date(), clock=slot.time()))

    assert list(refusal.value.fields) == ["date"]


def test_hold_slot_refuses_without_consent(sandbox: SandboxProcess) -> None:
    with pytest.raises(ConsentRequired):
        _hold(_wish(consent_accepted=False))

    assert (Booking.objects.count(), ConsentRecord.objects.count()) == (0, 0)


def test_hold_slot_gives_the_slot_back_when_the_gateway_fails(sandbox: SandboxProcess) -> None:
    sandbox.fault("razorpay", "bare_500", "orders.*", times=None)

    with pytest.raises(ProviderError):
        _hold(_wish())

    assert Booking.objects.occupying().count() == 0


def test_hold_slot_finds_the_order_whose_answer_was_lost(sandbox: SandboxProcess) -> None:
    sandbox.fault("razorpay", "drop", "orders.create")

    hold = _hold(_wish())

    orders = sandbox.state()["razorpay"]["orders"]
    assert hold.payment is not None
    assert [order["id"] for order in orders] == [hold.payment.provider_order_id]


def test_hold_slot_does_not_hold_when_the_calendar_is_silent(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    with pytest.raises(ProviderError):
        _hold(_wish())

    assert Booking.objects.count() == 0


def test_hold_slot_keeps_no_readable_address(sandbox: SandboxProcess) -> None:
    hold = _hold(_wish())

    assert len(hold.booking.held_from) == 64
    assert "203.0.113" not in hold.booking.held_from


def test_expire_holds_lets_go_of_overdue_holds_only() -> None:
    overdue = make_booking(hold_expires_at=NOW)
    live = make_booking(wish=make_wish(clock=time(15, 0)), hold_expires_at=NOW + timedelta(seconds=1))

    expired = expire_holds(now=NOW)

    states = {row.id: row.state for row in Booking.objects.all()}
    assert (expired, states) == (1, {overdue.id: BookingState.EXPIRED, live.id: BookingState.HELD})


def test_expire_holds_leaves_everything_else_alone() -> None:
    make_booking(state=BookingState.PENDING)

    assert expire_holds(now=NOW + timedelta(days=1)) == 0


def test_hold_slot_of_two_people_for_different_hours_both_stand(sandbox: SandboxProcess) -> None:
    _hold(_wish(hour=9))
    _hold(_wish(hour=10, customer=Customer(name="Ravi", email="ravi@example.com", phone=None)))

    assert Booking.objects.occupying().count() == 2
