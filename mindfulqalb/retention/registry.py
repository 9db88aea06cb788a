"""What each app keeps, whose it is and how it goes: every app says so in a module named `retention`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Q

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model, QuerySet

    from mindfulqalb.retention.states import Action


@dataclass(frozen=True)
class Removal:
    """Under which rule something goes, by whom and when."""

    rule: str
    action: Action
    actor: str
    now: datetime


@dataclass(frozen=True)
class Subjects:
    """Whose or of what: persons by blind index, objects as kind:<id>."""

    persons: Sequence[str] = ()
    targets: Sequence[str] = ()

    def ids_of(self, kind: str) -> list[str]:
        """List the ids of the objects of one kind."""
        return [target.partition(":")[2] for target in self.targets if target.startswith(f"{kind}:")]


Remover = Callable[[Sequence[Any], Removal], None]
Ownership = Callable[[Subjects], Q]


@dataclass(frozen=True)
class Retained:
    """One kind of record. It ends a period after `since`, or at the end that the row itself names in `ends`.

    Where that lies ahead of a row that is there already, `made` says when it came, and `waiting` which rows will hold
    something only once they are over.
    """

    kind: str
    model: type[Model]
    since: str
    actions: dict[Action, Remover]
    ends: str = ""
    person: str = ""
    about: str = ""
    made: str = ""
    holding: Q = field(default_factory=Q)  # which rows still hold something that can go
    waiting: Q | None = None
    is_gathered: bool = True  # whether persons who ask are given it

    @property
    def clock(self) -> str:
        """The column that says which row goes first."""
        return self.ends or self.since

    def rows(self) -> QuerySet[Model]:
        """Find the rows that still hold something."""
        rows: QuerySet[Model] = self.model._base_manager.filter(self.holding)
        return rows

    def rows_to_come(self) -> QuerySet[Model]:
        """Find the rows that still hold something, or will: a session ahead names its client too."""
        rows: QuerySet[Model] = self.model._base_manager.filter(self.holding)
        return rows if self.waiting is None else rows | self.model._base_manager.filter(self.waiting)

    def made_by(self, moment: datetime) -> Q:
        """Tell which rows were there at a moment; of those that do not say it is assumed."""
        made = self.made or self.since
        return Q(**{f"{made}__lte": moment}) | Q(**{f"{made}__isnull": True})

    def of(self, subjects: Subjects) -> Q:
        """Tell which rows are about these persons or objects."""
        owned = Q(pk__in=[])
        if self.person and subjects.persons:
            owned |= Q(**{f"{self.person}__in": subjects.persons})
        if self.about and subjects.targets:
            owned |= Q(**{f"{self.about}__in": subjects.targets})
        for ownership in ownerships[self.kind]:
            owned |= ownership(subjects)
        return owned


kinds: dict[str, Retained] = {}
ownerships: dict[str, list[Ownership]] = defaultdict(list)


def keep(retained: Retained) -> Retained:
    """Register a kind of record."""
    if kinds.setdefault(retained.kind, retained).model is not retained.model:
        raise ValueError(f"the kind {retained.kind!r} already belongs to {kinds[retained.kind].model.__name__}")
    return retained


def owns(*names: str) -> Callable[[Ownership], Ownership]:
    """Register how to tell whose a record is, where its own columns do not say so."""

    def register(ownership: Ownership) -> Ownership:
        for name in names:
            ownerships[name].append(ownership)
        return ownership

    return register
