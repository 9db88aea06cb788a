"""Admin pages that show and never write: states and evidence are moved by services alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import connection, transaction
from django.template.response import TemplateResponse

from mindfulqalb.staff.finding import FindsById
from mindfulqalb.staff.paging import CappedPaginator

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


class ReadOnlyAdmin(FindsById):
    """A model's pages without add, change and delete, for everybody, superusers included; however long the table is."""

    paginator = CappedPaginator
    show_full_result_count = False
    # Counting the rows of every choice, or sorting by a column without an index, would read the table.
    show_facets = admin.ShowFacets.NEVER
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

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Offer to turn around the order that there is."""
        return [str(name).lstrip("-") for name in self.ordering or ()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: rows come from services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows are moved by services."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: rows leave by retention alone."""
        return False


class UncompiledAdmin(ReadOnlyAdmin):
    """For lists whose queries PostgreSQL takes for dearer than they are: it would compile them, for a second or two."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Look without compiling; what acts (POST) goes as always, in no transaction of ours."""
        if request.method != "GET":
            return super().changelist_view(request, extra_context)
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL jit = off")
            answer = super().changelist_view(request, extra_context)
            # The rows are read while the page is written.
            return answer.render() if isinstance(answer, TemplateResponse) else answer
