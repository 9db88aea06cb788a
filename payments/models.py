"""Payments: one row for an order at a gateway, from the asking to the money."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from mindfulqalb.staff.words import Topic, in_words
from payments.money import Money
from payments.states import (
    ALLOWED,
    DISPUTE_MOVES,
    REFUND_MOVES,
    Attention,
    DisputeState,
    ImpossibleMove,
    PaymentState,
    RefundReason,
    RefundState,
)

if TYPE_CHECKING:
    from datetime import datetime


CAPTURED = Q(state=PaymentState.CAPTURED)


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Payments, and the one way to hold one."""

    def locked(self, payment_id: uuid.UUID) -> Payment:
        """Re-read a payment under its row lock; needs an open transaction."""
        return self.select_for_update(of=("self",)).get(id=payment_id)


class Payment(models.Model):
    """Money asked for, and what became of it. The price asked is fixed when the row is made."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gateway = models.CharField(max_length=20)
    state = models.CharField(max_length=20, choices=PaymentState, default=PaymentState.CREATED)
    item = models.CharField(max_length=50, help_text="Catalogue code of what is paid for.")
    reference = models.CharField(max_length=64, blank=True, help_text="The payer's business; payments never reads it.")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    provider_order_id = models.CharField(max_length=255, null=True, help_text="order_... or cs_...")  # noqa: DJ001
    provider_payment_id = models.CharField(  # noqa: DJ001  (null: not paid yet, and unique)
        max_length=255, null=True, unique=True, help_text="pay_... or pi_..."
    )
    checkout_url = models.TextField(blank=True)
    captured_amount_minor = models.PositiveIntegerField(null=True)
    captured_currency = models.CharField(max_length=3, blank=True)
    captured_at = models.DateTimeField(null=True)
    attention = models.CharField(max_length=30, choices=Attention, default=Attention.NONE, blank=True)
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="duplicates")
    is_live = models.BooleanField(null=True, help_text="Whether it was asked for in the gateway's live mode.")
    expires_at = models.DateTimeField(help_text="When the offer to pay ends for us; the gateway may take money later.")
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        db_table = "payments"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["gateway", "provider_order_id"], condition=Q(duplicate_of=None), name="payment_order_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(
                condition=~Q(state=PaymentState.CAPTURED)
                | Q(
                    provider_payment_id__isnull=False,
                    captured_amount_minor__isnull=False,
                    captured_at__isnull=False,
                ),
                name="payment_captured_has_figures",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["reference"], name="payment_reference"),
            models.Index(fields=["created_at"], name="payment_created"),
            models.Index(fields=["provider_order_id"], name="payment_order"),
            models.Index(fields=["state", "created_at"], name="payment_state"),
            models.Index(fields=["gateway", "created_at"], name="payment_gateway"),
            models.Index(fields=["currency", "created_at"], name="payment_currency"),
            models.Index(fields=["captured_at"], condition=CAPTURED, name="payment_captured"),
            models.Index(fields=["captured_currency", "captured_at"], condition=CAPTURED, name="payment_captured_in"),
            models.Index(fields=["gateway", "captured_at"], condition=CAPTURED, name="payment_captured_by"),
            models.Index(
                fields=["created_at"], condition=~Q(checkout_url="") | ~Q(reference=""), name="payment_traceable"
            ),
            models.Index(fields=["attention"], condition=~Q(attention=""), name="payment_attention"),
        ]

    def __str__(self) -> str:
        gateway = in_words(Topic.VENDOR, self.gateway)
        return f"{self.price} by {gateway}, {self.provider_order_id or self.id}"

    # Mutators: call them on a row re-read under its lock, then save.

    def capture(self, *, provider_payment_id: str, captured: Money, now: datetime) -> None:
        """Take note of the money. Other figures than those asked for buy nothing until a person decides."""
        self._move_to(PaymentState.CAPTURED)
        self.provider_payment_id = provider_payment_id
        self.captured_amount_minor = captured.amount_minor
        self.captured_currency = captured.currency
        self.captured_at = now
        if captured.currency != self.currency:
            self.doubt(Attention.CURRENCY)
        if captured.amount_minor != self.amount_minor:
            self.doubt(Attention.AMOUNT)

    def doubt(self, reason: Attention) -> None:
        """Ask for a person's look; the first reason stands until it is settled."""
        self.attention = self.attention or reason

    def settle_doubt(self) -> None:
        """Take note that nobody has to look any more."""
        self.attention = Attention.NONE

    def wait(self) -> None:
        """Take note that the gateway is still at it."""
        self._move_to(PaymentState.PENDING)

    def expire(self) -> None:
        """Take note that nobody can pay it any more; money that was on its way still counts."""
        self._move_to(PaymentState.EXPIRED)

    def fail(self) -> None:
        """Take note of a failed attempt; the client may try again, and a late yes still counts."""
        self._move_to(PaymentState.FAILED)

    def _move_to(self, state: PaymentState) -> None:
        if state not in ALLOWED[PaymentState(self.state)]:
            msg = f"payment {self.id} cannot move from {self.state} to {state}"
            raise ImpossibleMove(msg)
        self.state = state

    # Properties

    @property
    def price(self) -> Money:
        """What was asked for."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_captured(self) -> bool:
        """Whether the money is ours, right or wrong in amount."""
        return self.state == PaymentState.CAPTURED

    @property
    def is_spendable(self) -> bool:
        """Whether it can buy a session, as far as the row itself knows; `lock_spendable` asks for its refunds too."""
        return self.is_captured and not self.attention

    @property
    def captured(self) -> Money:
        """What the gateway says has arrived."""
        return Money(self.captured_amount_minor or 0, self.captured_currency)


class Refund(models.Model):
    """Money on its way back. The row is there before the gateway is asked, and its id is the key of every asking."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    state = models.CharField(max_length=20, choices=RefundState, default=RefundState.REQUESTED)
    reason = models.CharField(max_length=30, choices=RefundReason)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    provider_refund_id = models.CharField(  # noqa: DJ001  (null: not known there yet, and unique)
        max_length=255, null=True, unique=True, help_text="rfnd_... or re_..."
    )
    retry_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="retries")
    actor = models.CharField(max_length=100, help_text="client, system, staff:<id> or vendor:<name>")
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "refunds"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "requested_at"], name="refund_state"),
            models.Index(fields=["reason", "requested_at"], name="refund_reason"),
            models.Index(fields=["requested_at"], name="refund_requested"),
        ]

    def __str__(self) -> str:
        return f"{self.amount}: {self.get_state_display()}"

    # Mutators: call them on a row whose payment is locked, then save.

    def move_to(self, state: RefundState) -> None:
        """Take the one step that the table allows. Raises ImpossibleMove."""
        if state not in REFUND_MOVES[RefundState(self.state)]:
            msg = f"refund {self.id} cannot move from {self.state} to {state}"
            raise ImpossibleMove(msg)
        self.state = state

    @property
    def amount(self) -> Money:
        """How much goes back."""
        return Money(self.amount_minor, self.currency)


class Dispute(models.Model):
    """A client's bank wants the money of a payment back. The gateway tells, we answer it there, and only take note."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="disputes")
    state = models.CharField(max_length=20, choices=DisputeState, default=DisputeState.OPEN)
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    provider_dispute_id = models.CharField(max_length=255, unique=True, help_text="disp_... or du_...")
    reason = models.CharField(max_length=100, blank=True, help_text="The bank's code, never a client's words.")
    answer_by = models.DateTimeField(null=True, help_text="Until when the gateway takes our answer.")
    noticed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "disputes"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "noticed_at"], name="dispute_state"),
        ]

    def __str__(self) -> str:
        return f"{self.amount}: {self.get_state_display()}"

    # Mutators: call them on a row whose payment is locked, then save.

    def move_to(self, state: DisputeState) -> None:
        """Take the one step that the table allows. Raises ImpossibleMove."""
        if state not in DISPUTE_MOVES[DisputeState(self.state)]:
            msg = f"dispute {self.id} cannot move from {self.state} to {state}"
            raise ImpossibleMove(msg)
        self.state = state

    @property
    def amount(self) -> Money:
        """How much the bank wants."""
        return Money(self.amount_minor, self.currency)
