"""What happens at the vendors': banks answer late, webhooks come or do not, calls get lost, staff click there."""

from __future__ import annotations

from typing import Any

import requests
from hypothesis import strategies as st
from hypothesis.stateful import rule
from requests.structures import CaseInsensitiveDict

from bookings.tests.chaos.world import NTH, SLOT, World, nth, vendor_may_say_no
from bookings.webhooks import receive_calendar_webhook
from mindfulqalb.sandbox.tests.clients import book
from payments.services import receive_webhook
from payments.tests.payers import PAYERS

# Vendor, call, and what goes wrong with it the next time. "drop" does the work and loses the answer.
TROUBLE: list[tuple[str, str, str, dict[str, Any]]] = [
    *(("razorpay", call, "drop", {}) for call in ("orders.create", "payments.capture", "refunds.create")),
    *(("razorpay", call, "status", {}) for call in ("orders.*", "payments.capture", "refunds.*")),
    ("razorpay", "refunds.create", "rate_limited", {}),
    ("razorpay", "refunds.create", "status", {"status": 409}),
    ("razorpay", "refunds.create", "status", {"status": 400}),
    ("razorpay", "refunds.create", "refund_pending", {"seconds": 10**6}),
    *(("stripe", call, "drop", {}) for call in ("sessions.create", "sessions.expire", "refunds.create")),
    *(("stripe", call, "status", {}) for call in ("sessions.*", "refunds.*")),
    ("stripe", "refunds.create", "status", {"status": 400}),
    ("stripe", "refunds.create", "refund_pending", {"seconds": 10**6}),
    *(("calcom", "bookings.create", "drop", {}) for _ in range(2)),
    *(("calcom", call, "status", {}) for call in ("bookings.create", "bookings.list", "bookings.cancel")),
    ("calcom", "bookings.create", "slot_taken", {}),
    ("calcom", "bookings.create", "slot_taken", {"form": "bare"}),
    ("calcom", "bookings.cancel", "drop", {}),
    ("calcom", "slots.list", "html_502", {"times": 3}),
]


class Vendors(World):
    """Cal.com, Razorpay, Stripe, and the way to them."""

    @rule(which=st.integers(0, len(TROUBLE) - 1))
    def call_will_fail(self, which: int) -> None:
        """Have the next such call go wrong."""
        vendor, call, kind, parameters = TROUBLE[which]
        self.sandbox.fault(vendor, kind, call, **parameters)

    @rule(which=st.integers(0, 40))
    def webhook_arrives(self, which: int) -> None:
        """Deliver any webhook that was ever sent: in any order, again, or long after; those never chosen are lost."""
        if sent := self.sandbox.webhooks()["pending"]:
            deliver(nth(sent, which), self)

    @rule(which=st.integers(0, 40))
    def webhook_arrives_under_a_new_id(self, which: int) -> None:
        """Deliver the same body under an id that was never seen."""
        if sent := [each for each in self.sandbox.webhooks()["pending"] if each["vendor"] == "razorpay"]:
            again = nth(sent, which)
            again["headers"]["x-razorpay-event-id"] = f"again{which}"
            deliver(again, self)

    @rule(which=NTH, says_yes=st.booleans())
    def bank_answers(self, which: int, says_yes: bool) -> None:
        """Bring a payment that a bank was still thinking about, or had refused, to an end."""
        waiting = self.unsettled()
        if waiting:
            what, found_id = nth(waiting, which)
            yes = "captured" if what == "razorpay/payments" else "succeeded"
            with vendor_may_say_no():
                self.sandbox.settle(what, found_id, yes if says_yes else "failed")

    @rule(which=NTH, says_yes=st.booleans())
    def refund_ends(self, which: int, says_yes: bool) -> None:
        """Let a refund come to an end, or fail days after it was said to be done."""
        state = self.sandbox.state()
        refunds = [(vendor, each["id"]) for vendor in ("razorpay", "stripe") for each in state[vendor]["refunds"]]
        if refunds:
            vendor, refund_id = nth(refunds, which)
            yes = "processed" if vendor == "razorpay" else "succeeded"
            with vendor_may_say_no():
                self.sandbox.settle(f"{vendor}/refunds", refund_id, yes if says_yes else "failed")

    @rule(which=NTH, percent=st.sampled_from([25, 100]))
    def dashboard_refunds(self, which: int, percent: int) -> None:
        """Send money back by hand at the gateway: we are told of it, or find it, or not for long."""
        state = self.sandbox.state()
        paid = [("razorpay", each["id"], each["amount"]) for each in state["razorpay"]["payments"] if each["captured"]]
        paid += [("stripe", each["payment_intent"], each["amount"]) for each in state["stripe"]["charges"]]
        if paid:
            vendor, payment_id, amount = nth(paid, which)
            with vendor_may_say_no():
                PAYERS[vendor](self.sandbox).refund_by_hand(payment_id, amount * percent // 100)

    @rule(slot=SLOT)
    def stranger_takes_the_slot(self, slot: int) -> None:
        """Have somebody booked in the calendar who never came to us."""
        attendee = {"name": "A Stranger", "email": "stranger@elsewhere.example", "timeZone": "Asia/Kolkata"}
        try:
            book(self.sandbox, self.starts_at(slot), attendee=attendee)
        except (AssertionError, requests.ConnectionError):
            return  # taken, or past

    @rule(which=NTH)
    def therapist_cancels_in_the_calendar(self, which: int) -> None:
        """Cancel a session where it stands, without us."""
        if standing := self.standing():
            with vendor_may_say_no():
                self.sandbox.change_booking(nth(standing, which), "cancel", reason="Ill")

    @rule(which=NTH, slot=SLOT)
    def therapist_moves_in_the_calendar(self, which: int, slot: int) -> None:
        """Move a session where it stands, perhaps to an hour that we have given away."""
        if standing := self.standing():
            with vendor_may_say_no():
                self.sandbox.change_booking(
                    nth(standing, which), "reschedule", start=self.starts_at(slot).strftime("%Y-%m-%dT%H:%M:%SZ")
                )

    @rule(which=NTH, percent=st.sampled_from([40, 100]))
    def bank_disputes(self, which: int, percent: int) -> None:
        """Want the money of a payment back for the client, or a part of it."""
        state = self.sandbox.state()
        paid = [("razorpay/payments", each["id"], each["amount"]) for each in state["razorpay"]["payments"]]
        paid += [
            ("stripe/payment_intents", each["payment_intent"], each["amount"]) for each in state["stripe"]["charges"]
        ]
        if paid:
            what, payment_id, amount = nth(paid, which)
            with vendor_may_say_no():
                self.sandbox.dispute(what, payment_id, amount * percent // 100)

    @rule(which=NTH, ours=st.booleans())
    def bank_decides(self, which: int, ours: bool) -> None:
        """Bring a dispute to an end, or to another one than before."""
        if disputes := self.disputes():
            what, dispute_id = nth(disputes, which)
            with vendor_may_say_no():
                self.sandbox.settle(what, dispute_id, "won" if ours else "lost")

    def standing(self) -> list[str]:
        """What stands in the calendar by our doing."""
        bookings = self.sandbox.state()["calcom"]["bookings"]
        return [each["uid"] for each in bookings if each["status"] == "accepted" and "reference" in each["metadata"]]

    def disputes(self, *statuses: str) -> list[tuple[str, str]]:
        """What banks want or wanted, in one of these statuses if any are named."""
        state = self.sandbox.state()
        return [
            (f"{vendor}/disputes", each["id"])
            for vendor in ("razorpay", "stripe")
            for each in state[vendor]["disputes"]
            if not statuses or each["status"] in statuses
        ]

    def unsettled(self) -> list[tuple[str, str]]:
        """What the banks have not had their last word on."""
        state = self.sandbox.state()
        razorpay = [
            ("razorpay/payments", each["id"])
            for each in state["razorpay"]["payments"]
            if each["status"] in {"created", "failed", "authorized"}
        ]
        stripe = [
            ("stripe/sessions", each["id"])
            for each in state["stripe"]["sessions"]
            if (each["status"], each["payment_status"]) == ("complete", "unpaid")
        ]
        return razorpay + stripe


def deliver(sent: dict[str, Any], world: World) -> None:
    """Bring one webhook to us."""
    body, headers = sent["body"].encode(), CaseInsensitiveDict(sent["headers"])
    if sent["vendor"] == "calcom":
        receive_calendar_webhook(body=body, headers=headers, now=world.now)
    else:
        receive_webhook(gateway=sent["vendor"], body=body, headers=headers, now=world.now)
