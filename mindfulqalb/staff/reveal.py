"""Persons in the admin: masked, until somebody says why they look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from mindfulqalb.audit.services import record_read
from mindfulqalb.encryption.tokens import CannotOpen
from mindfulqalb.staff.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

REVEALED_FOR = timedelta(minutes=15)
SESSION_KEY = "revealed"
UNREADABLE = "(cannot be opened)"


class ReasonForm(forms.Form):
    """Why somebody looks."""

    reason = forms.CharField(
        max_length=500,
        label="Why do you need it?",
        help_text="It goes on record, with your name: a call from the client, a refund that failed, …",
        widget=forms.TextInput(attrs={"autofocus": True, "size": 60}),
    )


class RevealingAdmin(ReadOnlyAdmin):
    """Shows the sealed fields in `persons` masked; in full for a while after a reason was given, and on record."""

    kind: ClassVar[str]
    persons: ClassVar[dict[str, Callable[[str], str]]]
    reveal_permission: ClassVar[str]

    def has_reveal_permission(self, request: HttpRequest) -> bool:
        """Whether this person may ever see in full who a client is."""
        return request.user.has_perm(self.reveal_permission)

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks why."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_reveal"
        return [path("<uuid:pk>/reveal/", self.admin_site.admin_view(self.reveal), name=name), *super().get_urls()]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Find a row, and note on it whether its person is to be shown."""
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            row.shown_until = _shown_until(request, self._target(row))
            row.may_be_revealed = self.has_reveal_permission(request)
        return row

    def reveal(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask why, put it on record, and go back to the page, which shows the person from now on for a while."""
        if not self.has_reveal_permission(request):
            raise PermissionDenied
        row = self.get_object(request, str(pk))
        if row is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            self._note(request, row, form.cleaned_data["reason"])
            return HttpResponseRedirect(self._address(row, "change"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Show who it is",
            "form": form,
            "opts": self.opts,
            "back": self._address(row, "change"),
        }
        return TemplateResponse(request, "admin/reveal.html", context)

    @admin.display(description="client")
    def person(self, row: Any) -> str:
        """Show who it is: masked, or in full where a reason was given."""
        until = getattr(row, "shown_until", None)
        values = [(self._label(name), read(row, name), mask) for name, mask in self.persons.items()]
        lines = [(label, value if until else mask(value)) for label, value, mask in values if value]
        shown = format_html_join("", "<li>{}: {}</li>", lines) or "-"
        return format_html("<ul>{}</ul>{}", shown, self._way_further(row, until))

    def _way_further(self, row: Any, until: datetime | None) -> str:
        if until:
            return format_html("<p>Shown until {}, on record.</p>", f"{timezone.localtime(until):%H:%M}")
        if not getattr(row, "may_be_revealed", False):
            return ""
        return format_html('<a href="{}">Show in full</a>', self._address(row, "reveal"))

    def _note(self, request: HttpRequest, row: Any, reason: str) -> None:
        now = timezone.now()
        actor, target = f"staff:{request.user.pk}", self._target(row)
        record_read(actor=actor, target=target, fields=[*self.persons], reason=reason, now=now)
        revealed = {name: until for name, until in _revealed(request).items() if until > now.timestamp()}
        request.session[SESSION_KEY] = revealed | {target: (now + REVEALED_FOR).timestamp()}

    def _target(self, row: Any) -> str:
        return f"{self.kind}:{row.pk}"

    def _address(self, row: Any, page: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[row.pk])

    def _label(self, name: str) -> str:
        return str(self.opts.get_field(name).verbose_name)  # type: ignore[union-attr]


def read(row: Any, name: str) -> str:
    """Open a sealed field; one that was tampered with must not close the page that shows the rest."""
    try:
        return getattr(row, name) or ""
    except CannotOpen:
        return UNREADABLE


def _revealed(request: HttpRequest) -> dict[str, float]:
    revealed: dict[str, float] = request.session.get(SESSION_KEY, {})
    return revealed


def _shown_until(request: HttpRequest, target: str) -> datetime | None:
    until = _revealed(request).get(target, 0.0)
    if until <= timezone.now().timestamp():
        return None
    return datetime.fromtimestamp(until, tz=UTC)
