"""Payments in the admin: to read, and to send back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from mindfulqalb.practice_clock import practice_zone
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
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
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

    from payments.money import Money

REFUND = Question(
    action="refund_what_is_left",
    title="Refund",
    text="This goes back to the clients, and the payments buy nothing any more:",
    yes="Yes, refund",
    line=lambda payment: f"{payment}: {refundable(payment)}",
)
RETRY = Question(
    action="retry",
    title="Try failed refunds again",
    text="These are asked for once more:",
    yes="Yes, try again",
    line=str,
)


ACCEPT = Question(
    action="accept",
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

    @admin.action(description="Refund what is left", permissions=["refund"])
    def refund_what_is_left(self, request: HttpRequest, rows: QuerySet[Payment]) -> TemplateResponse | None:
        """Send back what is left of the chosen payments, after a question."""
        page = ask_first(self, request, rows, REFUND)
        if page is None:
            act_on_each(self, request, rows, partial(_refund, f"staff:{request.user.pk}"), done="Refunds requested")
        return page

    @admin.action(description="Accept as it is", permissions=["refund"])
    def accept(self, request: HttpRequest, rows: QuerySet[Payment]) -> TemplateResponse | None:
        """Let payments that needed a look buy what they were made for, after a question."""
        page = ask_first(self, request, rows, ACCEPT)
        if page is None:
            act_on_each(self, request, rows, partial(_accept, f"staff:{request.user.pk}"), done="Accepted")
        return page


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

    @admin.action(description="Try failed refunds again", permissions=["refund"])
    def retry(self, request: HttpRequest, rows: QuerySet[Refund]) -> TemplateResponse | None:
        """Ask once more for refunds that failed, after a question."""
        page = ask_first(self, request, rows, RETRY)
        if page is None:
            act_on_each(
                self, request, rows, partial(_retry, f"staff:{request.user.pk}"), done="Refunds requested again"
            )
        return page


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """What clients' banks want back; it is answered at the gateway."""

    list_display = ("noticed_at", "payment", "amount", "reason", "state", "answer_by", "settled_at")
    list_filter: ClassVar = ["state"]
    list_select_related = ("payment",)
    search_fields = ("provider_dispute_id", "payment__provider_payment_id")
    ordering = ("-noticed_at",)


def _accept(actor: str, payment: Payment) -> None:
    accept_payment(payment_id=payment.id, actor=actor, now=timezone.now())


def _refund(actor: str, payment: Payment) -> None:
    request_refund(
        payment_id=payment.id,
        amount_minor=None,
        reason=RefundReason.STAFF,
        actor=actor,
        now=timezone.now(),
    )


def _retry(actor: str, refund: Refund) -> None:
    retry_refund(refund_id=refund.id, actor=actor, now=timezone.now())
