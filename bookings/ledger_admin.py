"""The books in the admin: the lines of the report, and beneath them every payment with its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from psycopg import sql

from bookings.ledger import Account, accounted, partly_refunded
from bookings.ledger_report import books_at_a_glance
from bookings.models import LedgerEntry
from bookings.practice_time import local
from bookings.services.unplaced import lately_free
from mindfulqalb.staff.paging import CappedPaginator
from mindfulqalb.staff.read_only import UncompiledAdmin
from mindfulqalb.staff.values import ValuesFilter, values_called
from mindfulqalb.staff.words import Topic, called, in_words
from payments.models import Payment
from payments.money import Money
from payments.states import Attention, PaymentState

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


class AccountFilter(admin.SimpleListFilter):
    """By where the money stands; what needs a person among it."""

    title = "account"
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Offer every account."""
        return [(str(value), str(label)) for value, label in Account.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one, and look only where it can be."""
        if not self.value():
            return queryset
        return queryset.filter(_may_stand_at(str(self.value())), account=self.value()).exclude(rest=0)


class CapturedFilter(ValuesFilter):
    """By what captured payments alone have."""

    condition = sql.SQL("state = 'CAPTURED'")


GatewayFilter = values_called(called(Topic.VENDOR))


def _may_stand_at(account: str) -> Q:
    """Name the payments among which an account's are, by an index, where they are few.

    What is credited is spent or goes back in days; `report_ledger` counts what the sweep should ever have forgotten.
    """
    match account:
        case Account.CREDITED:
            return Q(id__in=lately_free(now=timezone.now()))
        case Account.DISPUTED:
            return ~Q(attention=Attention.NONE)
        case Account.ATTENTION:
            doubtful = Payment.objects.exclude(attention=Attention.NONE).values("id")
            return Q(id__in=doubtful.union(partly_refunded()))
    return Q()


class LedgerPaginator(CappedPaginator):
    """Where the money of a payment stands is found out row by row: so many of them take a moment."""

    most_rows = 500


@admin.register(LedgerEntry)
class LedgerEntryAdmin(UncompiledAdmin):
    """Captured payments, and what is left of each."""

    change_list_template = "admin/bookings/ledger.html"
    paginator = LedgerPaginator
    list_display = ("captured_at", "by", "provider_payment_id", "captured", "left", "account", "attention")
    list_filter: ClassVar = [AccountFilter, ("captured_currency", CapturedFilter), ("gateway", GatewayFilter)]
    search_fields = ("provider_order_id", "provider_payment_id")
    ordering = ("-captured_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take what was captured."""
        return accounted(LedgerEntry.objects.filter(state=PaymentState.CAPTURED))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the books of today, of this month and ever."""
        books = books_at_a_glance(day=local(timezone.now()).date())
        return super().changelist_view(request, {"books": books} | (extra_context or {}))

    @admin.display(description="gateway")
    def by(self, entry: LedgerEntry) -> str:
        """Name the gateway."""
        return in_words(Topic.VENDOR, entry.gateway)

    @admin.display(description="left")
    def left(self, entry: Any) -> Money:
        """What has not gone back."""
        return Money(entry.rest, entry.captured_currency)

    @admin.display(description="account")
    def account(self, entry: Any) -> str:
        """Where that stands."""
        return str(Account(entry.account).label) if entry.rest else ""
