"""Admin pages that show and never write: states and evidence are moved by services alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from mindfulqalb.staff.paging import CappedPaginator

if TYPE_CHECKING:
    from django.http import HttpRequest


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """A model's pages without add, change and delete, for everybody, superusers included; however long the table is."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    shown_first: ClassVar[tuple[str, ...]] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show `shown_first`, what people come for, and fold the rest away for whoever looks into a case."""
        fields = self.get_fields(request, obj)
        first = [name for name in self.shown_first if name in fields]
        if not first:
            return super().get_fieldsets(request, obj)
        rest = [name for name in fields if name not in first]
        return [(None, {"fields": first}), ("Everything else", {"fields": rest, "classes": ["collapse"]})]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows are moved by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows leave by retention alone."""
        return False
