"""Pages of long lists: nobody turns ten thousand rows over, and counting millions takes seconds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator

if TYPE_CHECKING:
    from django.db.models import QuerySet


class CappedPaginator(Paginator[Any]):
    """Counts and shows the first `most_rows`; filters and search find what lies beyond."""

    most_rows = 10_000

    @cached_property
    def count(self) -> int:
        """Count no further than anybody pages."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[: self.most_rows].count()
