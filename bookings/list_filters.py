"""Filters of the list of bookings: each can be answered from an index, and none reads the table to know its choices."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils import timezone

from bookings.practice_time import day_bounds, local
from mindfulqalb.catalogue.models import SessionType

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

# The first day, counted from today, and the day after the last.
SPANS = {
    "today": ("Today", 0, 1),
    "tomorrow": ("Tomorrow", 1, 2),
    "next-week": ("Next seven days", 0, 7),
    "next-month": ("Next thirty days", 0, 30),
    "yesterday": ("Yesterday", -1, 0),
    "last-week": ("Last seven days", -7, 0),
    "last-month": ("Last thirty days", -30, 0),
}


class DayFilter(admin.SimpleListFilter):
    """By day, on the practice's clock."""

    title = "day"
    parameter_name = "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer what people ask for."""
        return [(name, label) for name, (label, _, _) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the sessions that begin in the span."""
        if self.value() not in SPANS:
            return queryset
        _, first, end = SPANS[str(self.value())]
        today = local(timezone.now()).date()
        (start, _), (stop, _) = day_bounds(today + timedelta(days=first)), day_bounds(today + timedelta(days=end))
        return queryset.filter(starts_at__gte=start, starts_at__lt=stop)


class TypeFilter(admin.SimpleListFilter):
    """By who comes."""

    title = "session type"
    parameter_name = "session_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the kinds that there are."""
        return [(str(value), str(label)) for value, label in SessionType.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep one kind."""
        return queryset.filter(session_type=self.value()) if self.value() else queryset
