"""Actions over many rows in the admin: how far they are, and what could not be done and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from mindfulqalb.bulk_actions.models import BulkAction, BulkActionRow
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.staff.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

REFRESH_SECONDS = 5


@admin.register(BulkAction)
class BulkActionAdmin(ReadOnlyAdmin):
    """What a person has asked for; nobody sees what others have, but superusers."""

    change_form_template = "admin/bulk_actions/progress.html"
    list_display = ("title", "asked_at", "so_far", "finished_at")
    ordering = ("-asked_at",)
    fields = ("progress", "not_done", "asked_at", "finished_at", "done")
    readonly_fields = ("progress", "not_done", "done")

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkAction]:
        """Show one's own."""
        everybodys = BulkAction.objects.all()
        return everybodys if request.user.is_superuser else everybodys.filter(actor=f"staff:{request.user.pk}")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show how far it is; whoever asks for it is shown it again every few seconds, until it is finished."""
        watching = "watch" in request.GET
        context = {"watching": watching, "seconds": REFRESH_SECONDS}
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def render_change_form(  # noqa: PLR0917 - as Django has it
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,  # noqa: FBT001, FBT002
        change: bool = False,  # noqa: FBT001, FBT002
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        """Call the page what was asked for."""
        context |= {"title": obj.title, "subtitle": None}
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if context["watching"] and obj.finished_at is None:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response

    @admin.display(description="So far")
    def so_far(self, action: BulkAction) -> str:
        """Say in one sentence how far it is."""
        said = f"{action.done_count} of {action.row_count} done"
        said += f", {action.not_done_count} not done" if action.not_done_count else ""
        return said + (f", {action.waiting_count} waiting" if action.waiting_count else "")

    @admin.display(description="Progress")
    def progress(self, action: BulkAction) -> str:
        """Draw it, and say it."""
        worked_on = action.row_count - action.waiting_count
        bar = '<progress max="{}" value="{}" aria-label="Rows worked on"></progress> {}.'
        return format_html(bar, action.row_count, worked_on, self.so_far(action))

    @admin.display(description="Not done")
    def not_done(self, action: BulkAction) -> str:
        """Name what was not done, and why."""
        rows = action.rows.filter(state__in=[RowState.REFUSED, RowState.FAILED])
        return _listed(action, rows) or "Nothing"

    @admin.display(description="Done")
    def done(self, action: BulkAction) -> str:
        """Name what was done."""
        return _listed(action, action.rows.filter(state=RowState.DONE)) or "Nothing yet"


def _listed(action: BulkAction, rows: QuerySet[BulkActionRow]) -> str:
    opts = apps.get_model(action.model)._meta
    page = f"admin:{opts.app_label}_{opts.model_name}_change"
    lines = (
        (reverse(page, args=[row.object_id]), row.name, f": {row.sentence}" if row.sentence else "")
        for row in rows.order_by("position")
    )
    listed = format_html_join("", '<li><a href="{}">{}</a>{}</li>', lines)
    return format_html('<ol class="rows">{}</ol>', listed) if listed else ""
