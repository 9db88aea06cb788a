"""The page of a payment: what it paid for, what went back of it, what is left, and its story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html, format_html_join

from mindfulqalb.staff.stories import written
from payments.money import Money
from payments.queries import balance, is_disputed
from payments.timeline import purchases_of, story_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from payments.models import Payment, Refund
    from payments.timeline import Purchase

UNDECIDED = "The client's bank is deciding about it: until then nothing goes back."


class StoryPage(admin.ModelAdmin[Any]):
    """Adds what a person asks who was not there."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Note on a payment what was bought with it, and whether this person may go there."""
        payment = super().get_object(request, object_id, from_field)
        if payment is not None:
            payment.purchases = purchases_of(payment)
            payment.within_reach = {
                each.subject for each in payment.purchases if request.user.has_perm(each.permission)
            }
        return payment

    @admin.display(description="paid for")
    def paid_for(self, payment: Any) -> str:
        """Name the sessions, with the way to them for those who may go there."""
        named = format_html_join(
            "", "<li>{}</li>", ((_way_to(each, payment.within_reach),) for each in payment.purchases)
        )
        return format_html("<ul>{}</ul>", named) if named else "No session yet."

    @admin.display(description="gone back")
    def gone_back(self, payment: Payment) -> str:
        """List the refunds, with why each was given and how far it is."""
        lines = format_html_join(
            "", "<li>{}</li>", ((_line(each),) for each in payment.refunds.order_by("requested_at"))
        )
        return format_html("<ul>{}</ul>", lines) if lines else "Nothing."

    @admin.display(description="left")
    def left(self, payment: Payment) -> str:
        """Say what is still here."""
        if not payment.is_captured:
            return "No money has come."
        here = str(Money(max(balance(payment), 0), payment.captured_currency))
        return f"{here}. {UNDECIDED}" if is_disputed(payment) else here

    @admin.display(description="story")
    def story(self, payment: Any) -> str:
        """Tell all that happened to it, on the practice's clock."""
        return written(story_of(payment, payment.purchases))


def _way_to(purchase: Purchase, within_reach: set[str]) -> str:
    if purchase.subject not in within_reach:
        return purchase.title
    return format_html('<a href="{}">{}</a>', purchase.url, purchase.title)


def _line(refund: Refund) -> str:
    return f"{refund.amount}: {refund.get_state_display()} ({refund.get_reason_display()})"
