"""Everybody at once, and the promises that hold whatever they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import invariant

from bookings.tests.chaos.books import broken_at_any_time, broken_when_all_is_done, personal_data_in_clear
from bookings.tests.chaos.clients import Clients
from bookings.tests.chaos.practice import Practice
from bookings.tests.chaos.vendors import Vendors
from bookings.tests.chaos.world import World, vendor_may_say_no
from payments.models import Payment
from payments.states import PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterable

# Longer than any credit, and than everything that is asked for again in between.
AFTERMATH_HOURS = 12


class Chaos(Clients, Vendors, Practice):
    """A practice in which everything may go wrong at any time, and nothing may be lost."""

    @invariant()
    def promises_hold(self) -> None:
        """What may not be for a moment is not; and what was captured stays captured."""
        World.steps += 1
        demand(broken_at_any_time())
        captured = set(Payment.objects.filter(state=PaymentState.CAPTURED).values_list("id", flat=True))
        assert self.captured <= captured
        self.captured = captured

    def teardown(self) -> None:
        """Let everybody have their last word and all work be done; then compare the books."""
        self.sandbox.clear_faults()
        self._have_the_last_word()
        self.run_undisturbed(AFTERMATH_HOURS)
        self.staff_revives_dead_letters()
        self.beat_compares_the_books()
        self.run_undisturbed(1)
        demand(broken_at_any_time())
        demand(broken_when_all_is_done(self.sandbox.state()))
        demand(personal_data_in_clear())

    def _have_the_last_word(self) -> None:
        for what, found_id in self.unsettled():
            with vendor_may_say_no():
                self.sandbox.settle(what, found_id, "captured" if what == "razorpay/payments" else "succeeded")
        for what, found_id in self.disputes("open", "needs_response", "under_review"):
            self.sandbox.settle(what, found_id, "won")
        state = self.sandbox.state()
        for vendor, end in (("razorpay", "processed"), ("stripe", "succeeded")):
            for refund in state[vendor]["refunds"]:
                if refund["status"] == "pending":
                    self.sandbox.settle(f"{vendor}/refunds", refund["id"], end)


def demand(broken: Iterable[str]) -> None:
    """Fail with everything that is broken."""
    if found := list(broken):
        raise AssertionError("\n".join(found))
