"""The export of consent records, as a page of the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from consent.export_filter import ConsentFilter, known_session_types, known_versions
from consent.exports import export_consents
from consent.states import ConsentState
from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.exports.period import Period

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from django.urls import URLPattern

PERMISSION = "audit.export_evidence"


class DayInput(forms.DateInput):
    """The browser's own calendar."""

    input_type = "date"


class ExportForm(forms.Form):
    """Which records, and why."""

    since = forms.DateField(required=False, widget=DayInput, label="From", help_text="The first day, itself included.")
    until = forms.DateField(required=False, widget=DayInput, label="To", help_text="The last day, itself included.")
    version = forms.ChoiceField(required=False, choices=lambda: _offered(known_versions()))
    session_type = forms.ChoiceField(required=False, choices=lambda: _offered(known_session_types()))
    state = forms.ChoiceField(required=False, choices=[("", "any"), *ConsentState.choices])
    reason = forms.CharField(max_length=500, help_text="It goes on record, and into the export.")
    allow_empty = forms.BooleanField(required=False, help_text="Export even when no record matches.")

    def wanted(self) -> ConsentFilter:
        """Read the filter."""
        asked = self.cleaned_data
        period = Period(asked["since"], asked["until"])
        return ConsentFilter(period, asked["version"], asked["session_type"], asked["state"])

    def show(self, refusal: Refusal) -> None:
        """Put what was refused beside the fields."""
        for name, messages in refusal.fields.items():
            self.add_error("allow_empty" if name == "allowEmpty" else name, messages)


class ExportPage(admin.ModelAdmin[Any]):
    """Adds the page, for those whose role lets them take evidence out."""

    def get_urls(self) -> list[URLPattern]:
        """Add its address."""
        page = path("export/", self.admin_site.admin_view(self.export), name="consent_consentrecord_export")
        return [page, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the way to the page."""
        context = {"may_export": request.user.has_perm(PERMISSION), **(extra_context or {})}
        return super().changelist_view(request, context)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Ask which and why, then send the archive."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        form = ExportForm(request.POST or None)
        if form.is_valid():
            try:
                return _archive(form, actor=f"staff:{request.user.pk}")
            except Refusal as refusal:
                form.show(refusal)
        context = {**self.admin_site.each_context(request), "title": "Export", "form": form, "opts": self.opts}
        return TemplateResponse(request, "admin/consent/consentrecord/export.html", context)


def _offered(values: list[str]) -> list[tuple[str, str]]:
    return [("", "any"), *((value, value) for value in values)]


def _archive(form: ExportForm, *, actor: str) -> StreamingHttpResponse:
    export, archive = export_consents(
        wanted=form.wanted(),
        actor=actor,
        reason=form.cleaned_data["reason"],
        now=timezone.now(),
        allow_empty=form.cleaned_data["allow_empty"],
    )
    return archive_response(archive, export.filename)


def archive_response(archive: Any, filename: str) -> StreamingHttpResponse:
    """Send an archive while it is being made."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(archive, content_type="application/zip", headers=headers)
