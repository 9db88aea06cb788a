"""Find rows in the admin: by a whole email address or phone, through the blind index, or by a whole id.

What is typed is posted and never stands in an address: email and phone become digests first, and a name is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponseRedirect

from mindfulqalb.encryption.blind_index import email_digests, phone_digests
from mindfulqalb.phones import NotAPhoneNumber, e164, without_marks

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

CLIENT = "client"
MOST_FOUND = 1000
DIGESTS = re.compile(r"[0-9a-f]{64}(,[0-9a-f]{64})*")
# Ours and the vendors' have letters and digits; people's names have no digits, and their telephones no letters.
ID = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w:.-]+")
# Nothing but what numbers are written with; whether it is one, its country's rules say.
PHONE = re.compile(r"[+(]?\d[\d\s()./-]+")
EMAIL_PHONE_OR_ID = "a whole email address, a whole telephone number, or a whole id"
NOT_SEARCHABLE = "Names cannot be searched for: please type {}."


class ClientFilter(admin.SimpleListFilter):
    """Keeps the rows of one person; it shows itself only when somebody was searched for."""

    title = "client"
    parameter_name = CLIENT

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer whom the search has found."""
        self.rows_of_client: Callable[[list[str]], Q] = model_admin.rows_of_client
        chosen = request.GET.get(CLIENT, "")
        return [(chosen, "the one searched for")] if chosen else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep theirs."""
        chosen = self.value() or ""
        if not DIGESTS.fullmatch(chosen):
            return queryset.none() if chosen else queryset
        return queryset.filter(self.rows_of_client(chosen.split(",")))


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


class FindsPersons(FindsById):
    """Adds the search by email, and by phone where there is one; whole ids stand in `search_fields`.

    `digest_field` holds the digest of the person's email, `phone_digest_field` that of their phone.
    """

    digest_field: ClassVar[str] = ""
    phone_digest_field: ClassVar[str] = ""
    findable = "a whole email address, or a whole id"

    @property
    def search_help_text(self) -> str:  # type: ignore[override]
        """Say what can be typed."""
        return f"{self.findable[0].upper()}{self.findable[1:]}."

    def rows_of_client(self, digests: list[str]) -> Q:
        """Tell a person's rows by their digests; email and phone have keys of their own."""
        theirs = Q(**{f"{self.digest_field}__in": digests})
        return theirs | Q(**{f"{self.phone_digest_field}__in": digests}) if self.phone_digest_field else theirs

    def digests_on(self, row: Any) -> dict[str, str]:
        """Name the digests that stand on a row, by column."""
        names = filter(None, (self.digest_field, self.phone_digest_field))
        return {name: getattr(row, name) for name in names if getattr(row, name)}

    def digests_of(self, typed: str) -> list[str]:
        """Digest what somebody typed, if it is an email or a phone."""
        if "@" in typed:
            return email_digests(typed)
        return phone_digests(typed) if "telephone" in self.findable and is_phone(typed) else []

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Take a search that was posted to the list that shows what it finds."""
        if request.method == "POST" and "q" in request.POST and "action" not in request.POST:
            return HttpResponseRedirect("?" + urlencode(self._query_for(request), doseq=True))
        return super().changelist_view(request, extra_context)

    def _query_for(self, request: HttpRequest) -> dict[str, Any]:
        """Keep the filters, and put what was typed in place of the last search."""
        typed = without_marks(request.POST["q"]).strip()
        kept: dict[str, Any] = {name: request.GET.getlist(name) for name in request.GET}
        for name in ("q", "p", CLIENT):
            kept.pop(name, None)
        if digests := self.digests_of(typed):
            return kept | {CLIENT: ",".join(digests)}
        if ID.fullmatch(typed):
            return kept | {"q": typed}
        if typed:
            self.message_user(request, NOT_SEARCHABLE.format(self.findable), "WARNING")
        return kept


def is_phone(typed: str) -> bool:
    """Whether it is a whole number that somebody may have."""
    if not PHONE.fullmatch(typed):
        return False
    try:
        e164(typed)
    except NotAPhoneNumber:
        return False
    return True
