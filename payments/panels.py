"""Money on the first page: what needs a decision, and what came in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db.models import Count, Sum

from mindfulqalb.staff.desk.charts import Bar, Chart
from mindfulqalb.staff.desk.items import Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.weeks import Weeks
from payments.models import Payment
from payments.money import Money
from payments.queries import needing_a_person
from payments.states import Attention, PaymentState

if TYPE_CHECKING:
    from datetime import datetime

ADVICE = {
    Attention.DISPUTE: "Answer at the gateway in time; nothing moves here until it is decided there.",
    Attention.DISPUTE_LOST: "A part is left: refund it, or accept that it stays.",
    Attention.REFUND_FAILED: "Try the refund again, or pay it back by another way and note that.",
    Attention.SECOND_CAPTURE: "The client paid twice: see that the second one goes back.",
}
COMPARE = "Compare with the gateway, then accept it as it is or refund it."


@panel(Area.TASKS, "payments.view_payment")
def payments_to_look_at(_viewer: Viewer) -> list[Task]:
    """Payments that buy nothing until a person decides, by what is wrong with them."""
    doubtful = needing_a_person().order_by("attention")
    return [
        Task(
            f"Payments: {str(Attention(reason).label).lower()}",
            count,
            ADVICE.get(Attention(reason), COMPARE),
            list_url(Payment, attention__exact=reason),
        )
        for reason, count in doubtful.values_list("attention").annotate(Count("id"))
    ]


@panel(Area.CHARTS, "payments.view_payment")
def revenue(viewer: Viewer) -> list[Chart]:
    """What was captured each week, a chart for each currency."""
    weeks = Weeks.until(viewer.now)
    captured = Payment.objects.filter(
        state=PaymentState.CAPTURED, captured_at__gte=weeks.begin, captured_at__lt=weeks.end
    )
    sums: dict[str, dict[datetime, int]] = defaultdict(dict)
    rows = captured.annotate(week=weeks.of("captured_at")).values_list("captured_currency", "week")
    for currency, week, total in rows.annotate(Sum("captured_amount_minor")).order_by("captured_currency"):
        sums[currency][week] = total
    return [_revenue_chart(currency, weeks, by_week) for currency, by_week in sums.items()]


def _revenue_chart(currency: str, weeks: Weeks, by_week: dict[datetime, int]) -> Chart:
    bars = [Bar(week, total, str(Money(total, currency)), _short(total)) for week, total in weeks.figures(by_week, 0)]
    return Chart(f"Captured each week, {currency}", ("Week from", "Captured"), bars)


def _short(minor: int) -> str:
    """A figure that fits above a bar: `950`, `12.9k`, `1.3M`."""
    major = minor / 100
    for size, sign in ((1_000_000, "M"), (1_000, "k")):
        if major >= size:
            return f"{major / size:.1f}".removesuffix(".0") + sign
    return f"{major:.0f}" if minor else ""
