"""Whom an actor's id stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from collections.abc import Iterable


def members_of(actors: Iterable[str]) -> dict[str, StaffMember]:
    """Find, by actor (`staff:<id>`), those who are staff; others are left out. One query, or none."""
    ids = [UUID(actor.removeprefix("staff:")) for actor in actors if _is_staff(actor)]
    return {f"staff:{member.id}": member for member in StaffMember.objects.filter(id__in=ids)} if ids else {}


def login_names(actors: Iterable[str]) -> dict[str, str]:
    """Find, by actor, the names that staff log in with."""
    return {actor: member.username for actor, member in members_of(actors).items()}


def _is_staff(actor: str) -> bool:
    kind, _, staff_id = actor.partition(":")
    return kind == "staff" and len(staff_id) == len(str(UUID(int=0)))
