"""The books in the admin: the lines of the report, and beneath them every payment with its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils import timezone

from bookings.ledger import Account, accounted
from bookings.ledger_report import ledger_report
from bookings.models import LedgerEntry
from bookings.practice_time import local
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from payments.money import Money
from payments.states import PaymentState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse


class AccountFilter(admin.SimpleListFilter):
    """By where the money stands; what needs a person among it."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Offer every account."""
        return [(str(value), str(label)) for value, label in Account.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one."""
        return queryset.filter(account=self.value()).exclude(rest=0) if self.value() else queryset


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """Captured payments, and what is left of each."""

    change_list_template = "admin/bookings/ledger.html"
    list_display = ("captured_at", "gateway", "provider_payment_id", "captured", "left", "account", "attention")
    list_filter: ClassVar = [AccountFilter, "captured_currency", "gateway"]
    search_fields = ("provider_order_id", "provider_payment_id")
    ordering = ("-captured_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take what was captured."""
        return accounted(LedgerEntry.objects.filter(state=PaymentState.CAPTURED))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Close the books of today, of this month and ever."""
        report = ledger_report(day=local(timezone.now()).date())
        return super().changelist_view(request, {"report": report} | (extra_context or {}))  # type: ignore[return-value]

    @admin.display(description="left")
    def left(self, entry: Any) -> Money:
        """What has not gone back."""
        return Money(entry.rest, entry.captured_currency)

    @admin.display(description="account")
    def account(self, entry: Any) -> str:
        """Where that stands."""
        return str(Account(entry.account).label) if entry.rest else ""
