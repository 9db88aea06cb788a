"""Payments in the admin: to read, and to send back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.catalogue.words import item_in_words
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.finding import EMAIL_PHONE_OR_ID, ClientFilter, FindsPersons
from mindfulqalb.staff.names import NamesActors
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter, values_called
from mindfulqalb.staff.words import Topic, called, in_words
from payments.attention import accept_payment
from payments.models import Dispute, Payment, Refund
from payments.queries import refundable
from payments.refund_admin import RefundPage
from payments.refunds import request_refund, retry_refund
from payments.states import RefundReason
from payments.story_page import StoryPage
from payments.timeline import payments_of_clients

if TYPE_CHECKING:
    from django.db.models import Q
    from django.http import HttpRequest

    from payments.money import Money

GatewayFilter = values_called(called(Topic.VENDOR))
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
class PaymentAdmin(RefundPage, StoryPage, FindsPersons, ReadOnlyAdmin):
    """What was asked for, and what became of it. Whose it is, those know for whom it was made."""

    findable = EMAIL_PHONE_OR_ID
    list_display = ("created_at", "by", "what_for", "price", "state", "attention", "provider_payment_id")
    list_filter: ClassVar = ["state", "attention", ("gateway", GatewayFilter), ("currency", ValuesFilter), ClientFilter]
    search_fields = ("provider_order_id", "provider_payment_id", "reference")
    shown_first = (
        *("paid_for", "price", "state", "attention", "arrived", "captured_at"),
        *("gone_back", "left", "money_back", "by", "provider_payment_id", "story"),
    )
    ordering = ("-created_at",)
    actions = ("refund_what_is_left", "accept")

    def rows_of_client(self, digests: list[str]) -> Q:
        """Ask whoever knows clients."""
        return payments_of_clients(digests)

    def digests_on(self, row: Payment) -> dict[str, str]:
        """None: a payment names no client."""
        return {}

    @admin.display(description="gateway", ordering="gateway")
    def by(self, payment: Payment) -> str:
        """Name the gateway."""
        return in_words(Topic.VENDOR, payment.gateway)

    @admin.display(description="for")
    def what_for(self, payment: Payment) -> str:
        """Say what kind of session it was asked for."""
        return item_in_words(payment.item)

    @admin.display(description="arrived")
    def arrived(self, payment: Payment) -> Money | None:
        """Show what the gateway says has come."""
        return payment.captured if payment.captured_at else None

    def get_readonly_fields(self, request: HttpRequest, obj: Payment | None = None) -> tuple[str, ...]:
        """Show the way to the refund to those who may give one."""
        shown = ("paid_for", "price", "arrived", "gone_back", "left", "by", "story")
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
class RefundAdmin(NamesActors, ReadOnlyAdmin):
    """What goes back, why, and how far it is."""

    actor_fields = ("actor",)
    list_display = ("requested_at", "payment", "amount", "reason", "state", "settled_at", "asked_by")
    list_filter: ClassVar = ["state", "reason"]
    list_select_related = ("payment",)
    search_fields = ("provider_refund_id", "payment__provider_payment_id")
    ordering = ("-requested_at",)
    actions = ("retry",)

    def has_refund_permission(self, request: HttpRequest) -> bool:
        """Whether this person may send money back."""
        return request.user.has_perm("payments.add_refund")

    @admin.display(description="asked for by")
    def asked_by(self, refund: Refund) -> str:
        """Name who wanted it."""
        return self.name_of(refund, refund.actor)

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
