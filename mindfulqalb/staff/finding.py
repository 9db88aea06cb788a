"""Find rows in the admin: by a whole email address, through the blind index, or by a whole id.

What is typed is posted and never stands in an address: an email becomes its digest first, and a name is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect

from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

CLIENT = "client"
MOST_FOUND = 1000
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


class FindsById(admin.ModelAdmin[Any]):
    """Searches for whole ids alone, each in a column with an index: looking for a part would read every row."""

    search_help_text = "A whole id."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keep the rows of which one of `search_fields` is just that."""
        is_asked = search_term and self.search_fields
        return (self._with_id(queryset, search_term.strip()) if is_asked else queryset), False

    def _with_id(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Ask each column's index by itself, for no more than the list can page: PostgreSQL would not, for an OR."""
        found = []
        for path in self.search_fields:
            try:
                value = get_fields_from_path(self.model, path)[-1].to_python(term)
            except ValidationError:
                continue
            rows = self.model._base_manager.filter(**{path: value}).order_by(*self.ordering or ("pk",))
            found.append(rows.values("pk")[:MOST_FOUND])
        if not found:
            return queryset.none()
        return queryset.filter(pk__in=found[0].union(*found[1:]) if found[1:] else found[0])


class FindsByEmail(FindsById):
    """Adds the search by email; the person's digest stands in `digest_field`, whole ids in `search_fields`."""

    digest_field: ClassVar[str]
    search_help_text = "A whole email address, or a whole id."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Take a search that was posted to the list that shows what it finds."""
        if request.method == "POST" and "q" in request.POST and "action" not in request.POST:
            return HttpResponseRedirect("?" + urlencode(self._query_for(request), doseq=True))
        return super().changelist_view(request, extra_context)

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
