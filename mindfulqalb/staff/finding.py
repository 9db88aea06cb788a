"""Find rows in the admin: by a whole email address, through the blind index, or by a whole id.

What is typed is posted and never stands in an address: an email becomes its digest first, and a name is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponseRedirect

from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

CLIENT = "client"
DIGESTS = re.compile(r"[0-9a-f]{64}(,[0-9a-f]{64})*")
# Ours and the vendors' have letters and digits; people's names have no digits, and their telephones no letters.
ID = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w:.-]+")
NOT_SEARCHABLE = "Names cannot be searched for: please type a whole email address, or a whole id."


class ClientFilter(admin.SimpleListFilter):
    """Keeps the rows of one person; it shows itself only when somebody was searched for."""

    title = "client"
    parameter_name = CLIENT

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer whom the search has found."""
        self.field: str = model_admin.digest_field
        chosen = request.GET.get(CLIENT, "")
        return [(chosen, "the one searched for")] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep theirs."""
        chosen = self.value() or ""
        if not DIGESTS.fullmatch(chosen):
            return queryset.none() if chosen else queryset
        return queryset.filter(**{f"{self.field}__in": chosen.split(",")})


class FindsByEmail(admin.ModelAdmin[Any]):
    """Adds the search by email; the person's digest stands in `digest_field`, whole ids in `search_fields`."""

    digest_field: ClassVar[str]
    search_help_text = "A whole email address, or a whole id."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Take a search that was posted to the list that shows what it finds."""
        if request.method == "POST" and "q" in request.POST and "action" not in request.POST:
            return HttpResponseRedirect("?" + urlencode(self._query_for(request), doseq=True))
        return super().changelist_view(request, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by whole ids alone: looking for a part would read every row."""
        return (queryset.filter(self._has_id(search_term)) if search_term else queryset), False

    def _query_for(self, request: HttpRequest) -> dict[str, Any]:
        """Keep the filters, and put what was typed in place of the last search."""
        typed = request.POST["q"].strip()
        kept: dict[str, Any] = {name: request.GET.getlist(name) for name in request.GET}
        for name in ("q", "p", CLIENT):
            kept.pop(name, None)
        if "@" in typed:
            return kept | {CLIENT: ",".join(email_digests(typed))}
        if ID.fullmatch(typed):
            return kept | {"q": typed}
        if typed:
            self.message_user(request, NOT_SEARCHABLE, "WARNING")
        return kept

    def _has_id(self, term: str) -> Q:
        found = Q(pk__in=[])
        for name in self.search_fields:
            try:
                value = self.opts.get_field(name).to_python(term)  # type: ignore[union-attr]
            except ValidationError:
                continue
            found |= Q(**{name: value})
        return found
