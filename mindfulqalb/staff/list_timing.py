"""How long the lists of the admin take at the server: plain, at their last page, by every filter and every search."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from mindfulqalb.staff.finding import FindsPersons
from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model
    from django.http import HttpRequest

NOBODY = "benchmark-lists"
NOTHING = "nothing-1"
NO_DIGEST = "0" * 64
OK = 200


@dataclass(frozen=True)
class Look:
    """One address of the back office that somebody may open, and how it is called in the report."""

    name: str
    url: str


class LookFailed(Exception):
    """A page did not come: its time would say nothing."""


@contextmanager
def visitor() -> Iterator[Client]:
    """Open the back office as one who may see everything, and forget them afterwards."""
    member = StaffMember.objects.create_superuser(NOBODY, password=str(uuid4()))
    client = Client(SERVER_NAME="localhost")
    client.force_login(member)
    try:
        yield client
    finally:
        client.logout()
        member.delete()


def looks(client: Client) -> Iterator[Look]:
    """Name everything that can be chosen on every list, and the first page."""
    yield Look("first page", reverse("admin:index"))
    for model in filter(admin.site.is_registered, apps.get_models()):
        model_admin = admin.site.get_model_admin(model)
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        request: HttpRequest = client.get(url).wsgi_request
        for name, query in _queries(model, model_admin, request):
            yield Look(f"{model._meta.label_lower} {name}", f"{url}?{query}")


def milliseconds(client: Client, look: Look, *, times: int) -> float:
    """Open a page so often, after once to warm up, and return the fastest: others may use the machine too."""
    return min(_open(client, look) for _ in range(times + 1)) * 1000


def _open(client: Client, look: Look) -> float:
    began = time.perf_counter()
    answer = client.get(look.url)
    seconds = time.perf_counter() - began
    if answer.status_code != OK:
        raise LookFailed(f"{look.name}: {look.url} answered {answer.status_code}")
    return seconds


def _queries(model: type[Model], model_admin: Any, request: HttpRequest) -> Iterator[tuple[str, str]]:
    changelist = model_admin.get_changelist_instance(request)
    yield "as it opens", ""
    yield "last page", urlencode({"p": changelist.paginator.num_pages})
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            if not choice["selected"]:
                yield f"{spec.title}: {choice['display']}", choice["query_string"].lstrip("?")
    row = changelist.result_list[0] if len(changelist.result_list) else None
    if row is not None and isinstance(model_admin, FindsPersons):
        for name, digest in (model_admin.digests_on(row) or {"nobody": NO_DIGEST}).items():
            yield f"search for a person by {name}", urlencode({"client": digest})
    for path in model_admin.search_fields:
        yield f"search by {path}", urlencode({"q": (row and _value(row, path)) or NOTHING})
    if model_admin.search_fields:
        yield "search for nothing", urlencode({"q": NOTHING})


def _value(row: Model, path: str) -> Any:
    value: Any = row
    for name in path.lstrip("^=@").split("__"):
        value = getattr(value, name, None)
    return value
