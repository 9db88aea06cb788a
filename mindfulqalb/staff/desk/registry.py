"""Which app puts what on the first page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.staff.models import StaffMember


class Area(StrEnum):
    """A part of the first page, and the kind of thing that its panels return (see `mindfulqalb.staff.desk.items`)."""

    AGENDA = "agenda"  # Day
    TASKS = "tasks"  # Task
    CHARTS = "charts"  # Chart
    HEALTH = "health"  # Sign


@dataclass(frozen=True)
class Viewer:
    """Who looks, and when."""

    member: StaffMember
    now: datetime


Look = Callable[[Viewer], Sequence[Any]]


@dataclass(frozen=True)
class Panel:
    """One function's share of the page, for people who hold all of its permissions."""

    name: str
    area: Area
    permissions: tuple[str, ...]
    look: Look

    @property
    def module(self) -> str:
        """Where it comes from."""
        return self.look.__module__

    def is_for(self, member: StaffMember) -> bool:
        """Whether this person may see it."""
        return member.has_perms(self.permissions)


panels: dict[str, Panel] = {}


def panels_for(member: StaffMember) -> list[Panel]:
    """Those that this person may see; of the app that knows most first, as later apps know the earlier ones."""
    modules = list(dict.fromkeys(each.module for each in panels.values()))
    return sorted(
        (each for each in panels.values() if each.is_for(member)), key=lambda each: -modules.index(each.module)
    )


def panel(area: Area, *permissions: str) -> Callable[[Look], Look]:
    """Put a function's answer on the first page, for those who hold all of `permissions` (app_label.codename).

    It reads and never writes, and asks the database as often for one row as for a thousand.
    """
    if not permissions:
        raise ValueError("a panel names who may see it")

    def register(look: Look) -> Look:
        name = f"{look.__module__}.{look.__qualname__}"
        if name in panels:
            raise ValueError(f"the panel {name!r} is there already")
        panels[name] = Panel(name=name, area=area, permissions=permissions, look=look)
        return look

    return register
