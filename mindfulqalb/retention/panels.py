"""Keeping and purging on the first page: what stands in the way of it, and when a purge last ended."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Max

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.retention.models import LegalHold, Restriction, Tombstone
from mindfulqalb.retention.purging import TIMETABLE
from mindfulqalb.staff.desk.items import Sign, Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.signs import Round

NIGHTLY = timedelta(hours=36)


@panel(Area.TASKS, "retention.view_legalhold")
def holds(_viewer: Viewer) -> list[Task]:
    """What is kept whatever the timetable says."""
    count = LegalHold.objects.filter(released_at=None).count()
    url = list_url(LegalHold, released_at__isempty=1)
    return [Task("Holds on purging", count, "Release each whose reason is gone: it keeps a person's data.", url)]


@panel(Area.TASKS, "retention.view_restriction")
def erasures(_viewer: Viewer) -> list[Task]:
    """Erasures that people asked for and that are not over."""
    count = Restriction.objects.filter(settled_at=None).count()
    url = list_url(Restriction, settled_at__isnull=True)
    return [Task("Erasures under way", count, "Each record goes when the law allows; look whether one is stuck.", url)]


@panel(Area.HEALTH, "retention.view_tombstone")
def last_purge(viewer: Viewer) -> list[Sign]:
    """When the latest purge came to its end, whether or not anything was due."""
    ended_at = AuditEvent.objects.filter(target=TIMETABLE).aggregate(latest=Max("occurred_at"))["latest"]
    return [Round("Last purge", NIGHTLY, list_url(Tombstone)).sign(ended_at, now=viewer.now)]
