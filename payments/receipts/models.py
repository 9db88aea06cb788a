"""Receipts and refund notes, and the counters that number them without a gap."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from mindfulqalb.audit.evidence import guarded
from mindfulqalb.encryption.fields import EncryptedTextField
from payments.money import Money
from payments.states import RefundState


class ReceiptKind(models.TextChoices):
    """What a paper says: that money came, or that it went back. The value begins its number."""

    PAYMENT = "R", "Payment receipt"
    REFUND = "RN", "Refund note"


class ReceiptCounter(models.Model):
    """The last number given in a series: one for each kind and accounting year."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=2, choices=ReceiptKind)
    year = models.CharField(max_length=7)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "receipt_counters"
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "year"], name="receipt_counter_once")]

    def __str__(self) -> str:
        return f"{self.kind}-{self.year}: {self.last}"


@guarded()
class Receipt(models.Model):
    """One numbered paper about one movement of money, with all it says, sealed; triggers refuse any later change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=2, choices=ReceiptKind)
    year = models.CharField(max_length=7, help_text="Accounting year: 2026-27, or 2026 where it begins in January.")
    sequence = models.PositiveIntegerField()
    payment = models.ForeignKey("payments.Payment", on_delete=models.PROTECT, related_name="receipts")
    refund = models.OneToOneField("payments.Refund", on_delete=models.PROTECT, null=True, related_name="note")
    amount_minor = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    content = EncryptedTextField(label="receipts.content", db_column="content_encrypted")
    issued_at = models.DateTimeField()
    anonymised_at = models.DateTimeField(null=True, help_text="When it forgot whom it was for, under the timetable.")

    class Meta:
        db_table = "receipts"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "year", "sequence"], name="receipt_number_once"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(kind=ReceiptKind.PAYMENT), name="receipt_once_per_payment"
            ),
            models.CheckConstraint(
                condition=Q(kind=ReceiptKind.PAYMENT, refund__isnull=True)
                | Q(kind=ReceiptKind.REFUND, refund__isnull=False),
                name="receipt_names_its_refund",
            ),
            models.CheckConstraint(condition=Q(sequence__gt=0, amount_minor__gt=0), name="receipt_figures_positive"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["issued_at"], name="receipt_issued"),
            models.Index(fields=["kind", "issued_at"], name="receipt_kind"),
            models.Index(fields=["year", "issued_at"], name="receipt_year"),
            models.Index(fields=["currency", "issued_at"], name="receipt_currency"),
            models.Index(fields=["issued_at"], condition=Q(anonymised_at=None), name="receipt_named"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def number(self) -> str:
        """What people quote: R-2026-27-0001."""
        return f"{self.kind}-{self.year}-{self.sequence:04d}"

    @property
    def is_void(self) -> bool:
        """Whether the money of a refund note came back to us after all."""
        return self.refund is not None and self.refund.state == RefundState.FAILED

    @property
    def amount(self) -> Money:
        """How much came, or went back."""
        return Money(self.amount_minor, self.currency)
