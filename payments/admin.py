"""Payments in the admin: to read, and to send back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.practice_clock import practice_zone
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter
from payments.attention import accept_payment
from payments.models import Dispute, Payment, Refund
from payments.queries import refundable
from payments.refund_admin import RefundPage
from payments.refunds import request_refund, retry_refund
from payments.states import RefundReason
from payments.timeline import timeline

if TYPE_CHECKING:
    from django.http import HttpRequest

    from payments.money import Money

REFUND = Question(
    title="Refund",
    text="This goes back to the clients, and the payments buy nothing any more:",
    yes="Yes, refund",
    line=lambda payment: f"{payment}: {refundable(payment)}",
)
RETRY = Question(
    title="Try failed refunds again",
    text="These are asked for once more:",
    yes="Yes, try again",
)


ACCEPT = Question(
    title="Accept",
    text="What was wrong with these is forgotten, and they buy what they were made for:",
    yes="Yes, accept",
    line=lambda payment: f"{payment}: {payment.get_attention_display()}, {payment.captured} of {payment.price}",
)


@admin.register(Payment)
class PaymentAdmin(RefundPage, ReadOnlyAdmin):
    """What was asked for, and what became of it."""

    list_display = ("created_at", "gateway", "item", "price", "state", "attention", "provider_payment_id")
    list_filter: ClassVar = ["state", "attention", ("gateway", ValuesFilter), ("currency", ValuesFilter)]
    search_fields = ("provider_order_id", "provider_payment_id", "reference")
    shown_first = (
        *("item", "price", "state", "attention", "arrived", "captured_at"),
        *("gateway", "provider_payment_id", "money_back", "timeline"),
    )
    ordering = ("-created_at",)
    actions = ("refund_what_is_left", "accept")

    @admin.display(description="timeline")
    def timeline(self, payment: Payment) -> str:
        """Tell all that happened to it, on the practice's clock."""
        zone = practice_zone()
        rows = (
            (f"{each.at.astimezone(zone):%a %d %b %Y, %H:%M:%S}", each.what, each.by, each.details)
            for each in timeline(payment)
        )
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{} <strong>{}</strong> {} {}</li>", rows))

    @admin.display(description="arrived")
    def arrived(self, payment: Payment) -> Money | None:
        """Show what the gateway says has come."""
        return payment.captured if payment.captured_at else None

    def get_readonly_fields(self, request: HttpRequest, obj: Payment | None = None) -> tuple[str, ...]:
        """Show the way to the refund to those who may give one."""
        shown = ("price", "arrived", "timeline")
        return ("money_back", *shown) if self.has_refund_permission(request) else shown

    refund_what_is_left = RowAction(
        label="Refund what is left",
        done="Refunds requested",
        permissions=["refund"],
        question=REFUND,
        act=lambda row, told: request_refund(
            payment_id=row.id, amount_minor=None, reason=RefundReason.STAFF, actor=told.actor, now=told.now
        ),
    )
    accept = RowAction(
        label="Accept as it is",
        done="Accepted",
        permissions=["refund"],
        question=ACCEPT,
        act=lambda row, told: accept_payment(payment_id=row.id, actor=told.actor, now=told.now),
    )


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """What goes back, why, and how far it is."""

    list_display = ("requested_at", "payment", "amount", "reason", "state", "settled_at", "actor")
    list_filter: ClassVar = ["state", "reason"]
    list_select_related = ("payment",)
    search_fields = ("provider_refund_id", "payment__provider_payment_id")
    ordering = ("-requested_at",)
    actions = ("retry",)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        """Whether this person may send money back."""
        return request.user.has_perm("payments.add_refund")

    retry = RowAction(
        label="Try failed refunds again",
        done="Refunds requested again",
        permissions=["refund"],
        question=RETRY,
        act=lambda row, told: retry_refund(refund_id=row.id, actor=told.actor, now=told.now),
    )


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """What clients' banks want back; it is answered at the gateway."""

    list_display = ("noticed_at", "payment", "amount", "reason", "state", "answer_by", "settled_at")
    list_filter: ClassVar = ["state"]
    list_select_related = ("payment",)
    search_fields = ("provider_dispute_id", "payment__provider_payment_id")
    ordering = ("-noticed_at",)
