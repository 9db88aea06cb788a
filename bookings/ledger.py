"""The books: every rupee that was captured is booked, retained, credited, refunded, disputed, or needs a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from bookings.models import Booking
from bookings.states import BookingState
from mindfulqalb.audit.models import AuditEvent
from payments.models import Dispute, Payment, Refund
from payments.money import Money
from payments.queries import gone, taken
from payments.states import Attention, DisputeState, PaymentState, RefundState

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

KEPT_WITHOUT_SESSION = (BookingState.CANCELLED, BookingState.NO_SHOW)
MOST_SHOWN = 50


class Account(models.TextChoices):
    """Where the money of a payment stands that has not gone back."""

    BOOKED = "booked", "Booked"
    RETAINED = "retained", "Retained"
    CREDITED = "credited", "Credited"
    DISPUTED = "disputed", "Disputed"
    ATTENTION = "attention", "Needs attention"


@dataclass(frozen=True)
class LedgerLine:
    """One currency's books, in minor units. `captured` and `refunded` are summed from their own tables.

    `disputed` is what banks have taken, and what lies still until they have decided.
    """

    currency: str
    captured: int
    refunded: int
    booked: int = 0
    retained: int = 0
    credited: int = 0
    disputed: int = 0
    attention: int = 0

    @property
    def difference(self) -> int:
        """What the books cannot account for: nothing, or something is wrong with them."""
        accounts = (self.booked, self.retained, self.credited, self.refunded, self.disputed, self.attention)
        return self.captured - sum(accounts)

    @property
    def figures(self) -> list[tuple[str, Money]]:
        """All of it, for people, in the order of the equation."""
        named = {
            "Captured": self.captured,
            "Booked": self.booked,
            "Retained": self.retained,
            "Credited": self.credited,
            "Refunded": self.refunded,
            "Disputed": self.disputed,
            "Needs attention": self.attention,
            "Difference": self.difference,
        }
        return [(name, Money(amount, self.currency)) for name, amount in named.items()]


def ledger(*, since: datetime | None = None, until: datetime | None = None) -> list[LedgerLine]:
    """Close the books over what was captured in a span, or ever: a line for each currency."""
    span = _captured(since, until)
    accounts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in accounted(span).values("captured_currency", "account").annotate(total=Sum("rest")).order_by():
        accounts[row["captured_currency"]][row["account"]] = row["total"]
    return [
        LedgerLine(
            currency=currency,
            captured=captured,
            refunded=refunded,
            **accounts[currency] | {"disputed": accounts[currency].get(Account.DISPUTED, 0) + lost},
        )
        for currency, captured, refunded, lost in _totals(span)
    ]


def needing_a_person(*, since: datetime | None = None, until: datetime | None = None) -> list[Payment]:
    """List what somebody must look at, oldest first; the first fifty of them."""
    found = accounted(_captured(since, until)).exclude(rest=0)
    target = Concat(Value("payment:"), Cast("pk", models.CharField()))
    told_nobody = AuditEvent.objects.filter(action="payment.payer_unknown", target=OuterRef("target"))
    found = found.annotate(target=target).filter(
        Q(account__in=[Account.ATTENTION, Account.DISPUTED]) | Q(Exists(told_nobody), account=Account.CREDITED)
    )
    return list(found.order_by("captured_at")[:MOST_SHOWN])


def _captured(since: datetime | None, until: datetime | None) -> QuerySet[Payment]:
    captured = Payment.objects.filter(state=PaymentState.CAPTURED)
    if since is not None:
        captured = captured.filter(captured_at__gte=since)
    return captured.filter(captured_at__lt=until) if until is not None else captured


def accounted(payments: QuerySet[Any]) -> Any:
    """Say of each payment what is left of it (`rest`), and to which account that belongs."""
    newest = Refund.objects.filter(payment=OuterRef("pk")).order_by("-requested_at", "-id")
    claims = Booking.objects.spending().filter(payment=OuterRef("provider_payment_id"))
    return payments.annotate(
        gone=gone(),
        taken=taken(),
        newest_refund=Subquery(newest.values("state")[:1]),
        claim=Subquery(claims.values("state")[:1]),
    ).annotate(rest=F("captured_amount_minor") - F("gone") - F("taken"), account=_account())


def partly_refunded() -> QuerySet[Refund, Any]:
    """Ids of the payments of which neither nothing nor just all went back, or that a refund of failed."""
    gone = Sum("amount_minor", filter=~Q(state=RefundState.FAILED), default=0)
    sums = Refund.objects.order_by().values("payment").annotate(gone=gone)
    return sums.exclude(gone=F("payment__captured_amount_minor")).values("payment")


def _account() -> Case:
    return Case(
        When(attention=Attention.DISPUTE, then=Value(Account.DISPUTED)),
        When(~Q(attention=Attention.NONE), then=Value(Account.ATTENTION)),
        # More went back than had come; or it was to go back, and did not.
        When(Q(rest__lt=0) | Q(newest_refund=RefundState.FAILED), then=Value(Account.ATTENTION)),
        When(claim__in=KEPT_WITHOUT_SESSION, then=Value(Account.RETAINED)),
        When(claim__isnull=False, then=Value(Account.BOOKED)),
        When(gone=0, then=Value(Account.CREDITED)),
        # The rest of what was refunded in part buys nothing, and nobody sends it back by itself.
        default=Value(Account.ATTENTION),
        output_field=models.CharField(),
    )


def _totals(payments: QuerySet[Payment]) -> list[tuple[str, int, int, int]]:
    """Sum all sides of the vendors' books by themselves, so that the accounts are held against something."""
    refunds = Refund.objects.filter(payment__in=payments).exclude(state=RefundState.FAILED)
    lost = Dispute.objects.filter(payment__in=payments, state=DisputeState.LOST)
    totals = (
        payments.values("captured_currency")
        .annotate(
            total=Sum("captured_amount_minor"),
            refunded=_total_by_currency(refunds),
            lost=_total_by_currency(lost),
        )
        .order_by("captured_currency")
    )
    return list(totals.values_list("captured_currency", "total", "refunded", "lost"))


def _total_by_currency(rows: QuerySet[Any]) -> Coalesce:
    of_currency = rows.filter(currency=OuterRef("captured_currency")).order_by().values("currency")
    return Coalesce(Subquery(of_currency.annotate(total=Sum("amount_minor")).values("total")), 0)
