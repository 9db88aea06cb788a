"""What clients do: hold, order, pay, come back from the gateway, book, cancel, and change their mind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bookings.models import Booking
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client
from bookings.services.holds import hold_slot, release_hold
from bookings.services.rescheduling import request_move
from bookings.services.unplaced import refund_credit
from bookings.tests.chaos.world import (
    CHECKOUT,
    GATEWAYS,
    NTH,
    SLOT,
    WHO,
    Order,
    World,
    nth,
    refusable,
    vendor_may_say_no,
)
from mindfulqalb.catalogue.models import GATEWAY_OF_CURRENCY
from payments.orders import order_session
from payments.services import verify_return

if TYPE_CHECKING:
    from uuid import UUID

CURRENCIES = {gateway: currency for currency, gateway in GATEWAY_OF_CURRENCY.items()}
STRIPE_OUTCOMES = {"captured": "paid", "failed": "declined"}
# Money that is neither the price nor a currency that we sell in.
ALTERED: dict[str, tuple[str, dict[str, Any]]] = {
    "less": ("amount_altered", {"amount": 100}),
    "euros": ("currency_altered", {"currency": "EUR"}),
}
HOW = st.sampled_from(["captured", "captured", "failed", "authorized", "late", "less", "euros", "second"])


class Clients(World):
    """People at their browsers."""

    @rule(who=WHO, slot=SLOT, gateway=GATEWAYS)
    def client_holds(self, who: int, slot: int, gateway: str) -> None:
        """Keep a slot and get an order for it."""
        with refusable():
            hold = hold_slot(wish=self.wish(who, slot), pay_with=gateway, checkout=CHECKOUT, now=self.now)
            self.note(hold.booking)
            assert hold.payment is not None
            self._note_order(hold.payment.id, gateway, str(hold.payment.provider_order_id), who, slot)

    @rule(who=WHO, slot=SLOT, gateway=GATEWAYS)
    def client_orders(self, who: int, slot: int, gateway: str) -> None:
        """Get an order without keeping the slot."""
        with refusable():
            payment = order_session(
                gateway=gateway,
                session_type="individual",
                session_format="video",
                currency=CURRENCIES[gateway],
                checkout=CHECKOUT,
                now=self.now,
            )
            self._note_order(payment.id, gateway, str(payment.provider_order_id), who, slot)

    @precondition(lambda self: self.orders)
    @rule(order=NTH, how=HOW)
    def client_pays(self, order: int, how: str) -> None:
        """Do something in the gateway's dialog, also after it was paid, and also after the hold has ended."""
        paid = nth(self.orders, order)
        if how in ALTERED:
            kind, parameters = ALTERED[how]
            self.sandbox.fault(paid.gateway, kind, "*.pay", **parameters)
            how = "captured"
        with vendor_may_say_no():
            if paid.gateway == "stripe":
                self.sandbox.pay_stripe(paid.order_id, STRIPE_OUTCOMES.get(how, "delayed"))
            else:
                told = self.sandbox.pay_razorpay(paid.order_id, how, seconds=10**6)
                paid.triples.append(told)

    @precondition(lambda self: any(order.triples for order in self.orders))
    @rule(order=NTH)
    def client_comes_back(self, order: int) -> None:
        """Let the browser hand in what Razorpay's dialog gave it; a failed attempt has no signature."""
        triple = nth([order for order in self.orders if order.triples], order).triples[-1]
        with refusable():
            verify_return(
                provider_order_id=triple["razorpay_order_id"],
                provider_payment_id=triple["razorpay_payment_id"],
                signature=triple["razorpay_signature"] or "",
                now=self.now,
            )

    @precondition(lambda self: self.orders)
    @rule(order=NTH)
    def client_books(self, order: int) -> None:
        """Book the slot that the order was made for."""
        bought = nth(self.orders, order)
        self._book(bought, bought.who, bought.slot)

    @precondition(lambda self: self.orders)
    @rule(order=NTH, who=WHO, slot=SLOT)
    def client_books_another(self, order: int, who: int, slot: int) -> None:
        """Book another slot than the one paid for, perhaps as somebody else."""
        self._book(nth(self.orders, order), who, slot)

    @precondition(lambda self: self.bookings)
    @rule(booking=NTH)
    def client_cancels(self, booking: int) -> None:
        """Cancel by the signed link."""
        with refusable():
            cancel_by_client(booking_id=nth(self.bookings, booking), now=self.now)

    @precondition(lambda self: self.bookings)
    @rule(booking=NTH, slot=SLOT)
    def client_moves(self, booking: int, slot: int) -> None:
        """Choose another time by the signed link."""
        with refusable():
            moved = request_move(booking_id=nth(self.bookings, booking), starts_at=self.starts_at(slot), now=self.now)
            self.try_move(moved)

    @precondition(lambda self: self.bookings)
    @rule(booking=NTH)
    def client_wants_the_money_back(self, booking: int) -> None:
        """Choose the money and no other time, after a session that came to nothing."""
        with refusable():
            refund_credit(booking=Booking.objects.get(id=nth(self.bookings, booking)), now=self.now)

    @precondition(lambda self: self.bookings)
    @rule(booking=NTH)
    def client_goes_back(self, booking: int) -> None:
        """Let the hold go, perhaps while its order is being paid in another tab."""
        with refusable():
            release_hold(booking_id=nth(self.bookings, booking), now=self.now)

    def client_walks_through(self, who: int, slot: int, gateway: str) -> None:
        """Hold, pay and book, without a pause: no step of its own, but where a walk by hand begins."""
        known = len(self.orders)
        self.client_holds(who, slot, gateway)
        if len(self.orders) > known:
            self.client_pays(0, "captured")
            self.client_books(0)

    def _book(self, order: Order, who: int, slot: int) -> None:
        payment_id = order.triples[-1]["razorpay_payment_id"] if order.triples else order.order_id
        with refusable():
            booking = book_session(wish=self.wish(who, slot), payment_id=payment_id, now=self.now)
            self.note(booking)
            self.try_calendar(booking)

    def _note_order(self, payment_row: UUID, gateway: str, order_id: str, who: int, slot: int) -> None:
        if all(order.order_id != order_id for order in self.orders):
            self.orders.append(Order(gateway, order_id, payment_row, who, slot))
