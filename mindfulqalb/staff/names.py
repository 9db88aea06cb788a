"""Whom an actor's id stands for, and lists that know it of all their rows by one query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList

from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.words import Topic, in_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest

ACTORS = {"client": "the client", "system": "the system"}


def members_of(actors: Iterable[str]) -> dict[str, StaffMember]:
    """Find, by actor (`staff:<id>`), those who are staff; others are left out. One query, or none."""
    ids = [UUID(actor.removeprefix("staff:")) for actor in actors if _is_staff(actor)]
    return {f"staff:{member.id}": member for member in StaffMember.objects.filter(id__in=ids)} if ids else {}


def login_names(actors: Iterable[str]) -> dict[str, str]:
    """Find, by actor, the names that staff log in with."""
    return {actor: member.username for actor, member in members_of(actors).items()}


def actors_in_words(actors: Iterable[str]) -> dict[str, str]:
    """Say who they are: staff by their name, vendors and the rest in words. One query, or none."""
    known = {actor: _in_words(actor) for actor in actors}
    members = members_of(known)
    return known | {actor: member.get_full_name() or member.username for actor, member in members.items()}


class ListWithActors(ChangeList):
    """A page of rows that knows who acted on them, by one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Look the names up once the page is cut: rows that are skipped need none."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        model_admin: Any = self.model_admin
        fields: tuple[str, ...] = model_admin.actor_fields
        names = actors_in_words(getattr(row, name) for row in rows for name in fields)
        for row in rows:
            row.names = names
        self.result_list = rows


class NamesActors(admin.ModelAdmin[Any]):
    """Shows the actors in `actor_fields` by their names."""

    actor_fields: ClassVar[tuple[str, ...]]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """List rows with names."""
        return ListWithActors

    def name_of(self, row: Any, actor: str) -> str:
        """Say who it was."""
        names = row.names if hasattr(row, "names") else actors_in_words([actor])
        return str(names[actor])


def _in_words(actor: str) -> str:
    kind, _, name = actor.partition(":")
    return in_words(Topic.VENDOR, name) if kind == "vendor" else ACTORS.get(actor, actor)


def _is_staff(actor: str) -> bool:
    kind, _, staff_id = actor.partition(":")
    return kind == "staff" and len(staff_id) == len(str(UUID(int=0)))
