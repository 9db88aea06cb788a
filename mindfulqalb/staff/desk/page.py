"""Put the first page together. A panel that fails leaves a gap, and the rest of the page stands."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from mindfulqalb.staff.desk.registry import Area, Panel, Viewer, panels_for

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.staff.models import StaffMember

logger = logging.getLogger(__name__)

# A panel that takes longer has failed: nobody waits for a number.
PANEL_SECONDS = 2


@dataclass
class Section:
    """What the panels of one area say; `gaps` counts those that could not."""

    items: list[Any] = field(default_factory=list)
    gaps: int = 0

    @property
    def waiting(self) -> list[Any]:
        """Of tasks: those of which there are any."""
        return [task for task in self.items if task.count]


def first_page(*, member: StaffMember, now: datetime) -> dict[str, Section]:
    """Ask every panel that this person may see, and sort the answers by area; an area without a panel is left out."""
    viewer = Viewer(member=member, now=now)
    mine = panels_for(member)
    sections = {area.value: Section() for area in Area if any(each.area == area for each in mine)}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [PANEL_SECONDS * 1000])
        for each in mine:
            _ask(each, viewer, sections[each.area])
    return sections


def _ask(asked: Panel, viewer: Viewer, section: Section) -> None:
    try:
        with transaction.atomic():
            section.items.extend(asked.look(viewer))
    except Exception:
        logger.exception("The panel %s failed", asked.name)
        section.gaps += 1
