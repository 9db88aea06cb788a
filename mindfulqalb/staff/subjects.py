"""What a row is about, `kind:<id>`, in words, and as a way to its page for those who may go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser
    from django.http import HttpRequest

SHOWN_OF_AN_ID = 8


@dataclass(frozen=True)
class Kind:
    """What people call it, and the model whose page shows it."""

    title: str
    app_label: str
    model_name: str


_kinds: dict[str, Kind] = {}


def teach_kind(kind: str, title: str, page: str) -> None:
    """Say what people call the subjects of a kind, and of which model (app_label.model) their page is."""
    app_label, _, model_name = page.partition(".")
    _kinds[kind] = Kind(title, app_label, model_name)


def way_to(subject: str, user: AbstractBaseUser | AnonymousUser) -> str:
    """Lead to what a row is about; what nobody has named stands there as it is."""
    kind, _, row_id = subject.partition(":")
    known = _kinds.get(kind)
    row_id, _, _ = row_id.partition(":")  # an outbox lane may go on
    if known is None or not row_id:
        return subject
    title = f"{known.title} {row_id[:SHOWN_OF_AN_ID]}"
    if not user.has_perm(f"{known.app_label}.view_{known.model_name}"):  # type: ignore[union-attr]
        return title
    address = reverse(f"admin:{known.app_label}_{known.model_name}_change", args=[row_id])
    return format_html('<a href="{}">{}</a>', address, title)


def subject_column(request: HttpRequest, name: str) -> Callable[[Any], str]:
    """Make the column of a list that leads to what each row is about."""

    @admin.display(description="about")
    def about(row: Any) -> str:
        return way_to(getattr(row, name), request.user)

    return about
