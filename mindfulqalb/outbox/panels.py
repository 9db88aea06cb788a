"""The outbox on the first page: what could not be done, and how far behind it is."""

from __future__ import annotations

from django.db.models import Count, Q

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.queries import backlog
from mindfulqalb.outbox.states import State
from mindfulqalb.staff.desk.items import Sign, Task, ago, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel

LATE_SECONDS = 300
MAIL = "email."


@panel(Area.TASKS, "outbox.view_outboxmessage")
def dead_messages(_viewer: Viewer) -> list[Task]:
    """What was given up."""
    dead = OutboxMessage.objects.filter(state=State.DEAD)
    counts = dead.aggregate(all=Count("id"), mails=Count("id", filter=Q(topic__startswith=MAIL)))
    advice = f"{counts['mails']} of it mails. Read the last error, mend its cause, then choose them and retry."
    url = list_url(OutboxMessage, state__exact=State.DEAD)
    return [Task("Work that was given up", counts["all"], advice, url)]


@panel(Area.HEALTH, "outbox.view_outboxmessage")
def outbox_pace(viewer: Viewer) -> list[Sign]:
    """How long the message that waits longest has been due."""
    behind = backlog(now=viewer.now)
    seconds = behind.oldest.total_seconds()
    text = f"{behind.overdue} due, the oldest for {ago(seconds)}" if behind.overdue else "Nothing is waiting"
    url = list_url(OutboxMessage, state__exact=State.PENDING)
    return [Sign("Mails and calendar writes", text, seconds < LATE_SECONDS, url)]
