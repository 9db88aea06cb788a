"""Payments in the admin: to read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from mindfulqalb.staff.read_only import ReadOnlyAdmin
from payments.models import Payment, Refund


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """What was asked for, and what became of it."""

    list_display = ("created_at", "gateway", "item", "price", "state", "attention", "provider_payment_id")
    list_filter: ClassVar = ["state", "attention", "gateway", "currency"]
    search_fields = ("provider_order_id", "provider_payment_id", "reference")
    ordering = ("-created_at",)
    show_full_result_count = False


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """What goes back, why, and how far it is."""

    list_display = ("requested_at", "payment", "amount", "reason", "state", "settled_at", "actor")
    list_filter: ClassVar = ["state", "reason"]
    list_select_related = ("payment",)
    search_fields = ("provider_refund_id", "payment__provider_payment_id")
    ordering = ("-requested_at",)
    show_full_result_count = False
