"""What staff do, what our processes do by themselves, and how these die."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from bookings.services.cancellation import cancel_by_practice
from bookings.services.holds import expire_holds
from bookings.services.reconciliation import poll_calendar, revisit_conflicts
from bookings.services.unplaced import refund_unplaced
from bookings.tests.chaos.world import LONGEST_DAY, NTH, World, nth, refusable
from mindfulqalb.outbox.claims import claim
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery, RetryLater, handler_for
from mindfulqalb.outbox.services import revive
from mindfulqalb.outbox.states import State
from payments.attention import accept_payment
from payments.models import Payment, Refund
from payments.reconciliation import recent_captures, refresh_disputes, refresh_payments, suspicious_payments
from payments.refunds import request_refund, retry_refund
from payments.states import Attention, PaymentState, RefundReason, RefundState

STAFF = "staff:1"
SPANS = [timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=6), timedelta(minutes=16), timedelta(hours=3)]


class Practice(World):
    """Staff, worker and beat."""

    @precondition(lambda self: self.bookings)
    @rule(booking=NTH)
    def practice_cancels(self, booking: int) -> None:
        """Cancel a session for the practice."""
        with refusable():
            cancel_by_practice(booking_id=nth(self.bookings, booking), actor=STAFF, now=self.now)

    @rule(which=NTH, percent=st.sampled_from([30, 60, None]))
    def staff_refunds(self, which: int, percent: int | None) -> None:
        """Send a part of a payment back, or what is left of it."""
        captured = list(Payment.objects.filter(state=PaymentState.CAPTURED).order_by("captured_at"))
        if captured:
            payment = nth(captured, which)
            amount = None if percent is None else payment.captured.amount_minor * percent // 100
            with refusable():
                request_refund(
                    payment_id=payment.id, amount_minor=amount, reason=RefundReason.STAFF, actor=STAFF, now=self.now
                )

    @rule(which=NTH)
    def staff_retries_a_refund(self, which: int) -> None:
        """Ask once more for a refund that failed."""
        failed = list(Refund.objects.filter(state=RefundState.FAILED).order_by("requested_at"))
        if failed:
            with refusable():
                retry_refund(refund_id=nth(failed, which).id, actor=STAFF, now=self.now)

    @rule(which=NTH)
    def staff_accepts(self, which: int) -> None:
        """Take a payment as it is about which a person was called."""
        called = list(Payment.objects.exclude(attention=Attention.NONE).order_by("captured_at"))
        if called:
            with refusable():
                accept_payment(payment_id=nth(called, which).id, actor=STAFF, now=self.now)

    @rule()
    def staff_revives_dead_letters(self) -> None:
        """Give every message another life whose work could not be done."""
        dead = OutboxMessage.objects.filter(state=State.DEAD).values_list("id", flat=True)
        revive(message_ids=list(dead), actor=STAFF, now=self.now)

    @rule(limit=st.sampled_from([1, 3, 50]))
    def worker_delivers(self, limit: int) -> None:
        """Do what is due, or a part of it."""
        deliver_due(now=self.now, limit=limit)

    @rule()
    def worker_dies_before_the_work(self) -> None:
        """Take a message, and be killed."""
        claim(now=self.now)

    @rule()
    def worker_dies_after_the_work(self) -> None:
        """Take a message, do what it asks for, and be killed before that is written down."""
        message = claim(now=self.now)
        if message is not None:
            delivery = Delivery(message.id, message.topic, message.lane, message.payload, message.attempts, self.now)
            with refusable(), suppress(RetryLater):
                handler_for(message.topic)(delivery)

    @rule()
    def beat_expires_holds(self) -> None:
        """Let overdue holds go."""
        expire_holds(now=self.now)

    @rule()
    def beat_reconciles(self) -> None:
        """Ask the gateways about what is suspicious."""
        list(refresh_payments(suspicious_payments(now=self.now), now=self.now))

    @rule()
    def beat_compares_the_books(self) -> None:
        """Ask the gateways about all recent money."""
        list(refresh_payments(recent_captures(now=self.now), now=self.now))

    @rule()
    def beat_asks_about_disputes(self) -> None:
        """Ask the gateways what clients' banks want."""
        list(refresh_disputes(now=self.now))

    @rule()
    def beat_polls_the_calendar(self) -> None:
        """Take over what was changed in the calendar, and look again at what could not be followed."""
        with refusable():
            poll_calendar(now=self.now)
            revisit_conflicts(now=self.now)

    @rule()
    def beat_refunds_the_unplaced(self) -> None:
        """Send back what bought nothing in time."""
        refund_unplaced(now=self.now)

    @rule(span=st.sampled_from(SPANS))
    def time_passes(self, span: timedelta) -> None:
        """Let the clock go on."""
        if self.passed + span < LONGEST_DAY:
            self.pass_time(span)

    def run_undisturbed(self, hours: float) -> None:
        """Let worker and beat do their work for so long, with vendors that answer."""
        ends = self.passed + timedelta(hours=hours)
        while self.passed < ends:
            self.pass_time(timedelta(minutes=20))
            self.beat_expires_holds()
            self.beat_reconciles()
            self.beat_asks_about_disputes()
            self.beat_polls_the_calendar()
            self.beat_refunds_the_unplaced()
            while deliver_due(now=self.now, limit=1000):
                continue
            if not self._has_work():
                self.pass_time(max(timedelta(0), ends - self.passed))

    def _has_work(self) -> bool:
        waiting = OutboxMessage.objects.filter(state=State.PENDING).exists()
        return waiting or Refund.objects.filter(state__in=[RefundState.REQUESTED, RefundState.PENDING]).exists()
