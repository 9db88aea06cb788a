"""Mails on the first page: who waits for one that never came."""

from __future__ import annotations

from datetime import timedelta

from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.queries import undelivered
from mindfulqalb.mail.states import UNDELIVERED
from mindfulqalb.staff.desk.items import Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel

LOOK_BACK = timedelta(days=14)


@panel(Area.TASKS, "mail.view_sentmail")
def undelivered_mails(viewer: Viewer) -> list[Task]:
    """Mails of two weeks that were refused or came back, and went well no second time."""
    since = (viewer.now - LOOK_BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    count = undelivered().filter(sent_at__gte=since).count()
    url = list_url(SentMail, state__in=",".join(UNDELIVERED), sent_at__gte=since.isoformat())
    return [Task("Mails that did not arrive", count, "Phone the client, correct the address, and send it again.", url)]
