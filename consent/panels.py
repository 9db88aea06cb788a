"""Consent on the first page: what was taken back, what does not fit, what waits to be published."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q

from consent.models import ConsentDocument, ConsentRecord
from consent.states import ConsentEvent
from mindfulqalb.staff.desk.items import Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel

LOOK_BACK = timedelta(days=30)


@panel(Area.TASKS, "consent.view_consentrecord")
def withdrawals_and_flags(viewer: Viewer) -> list[Task]:
    """What was withdrawn, and what was accepted in a version that we never published, in the last thirty days."""
    since = (viewer.now - LOOK_BACK).replace(hour=0, minute=0, second=0, microsecond=0)
    withdrawn = Q(event=ConsentEvent.WITHDRAWN)
    counts = ConsentRecord.objects.filter(created_at__gte=since).aggregate(
        withdrawn=Count("id", filter=withdrawn), flagged=Count("id", filter=Q(is_flagged=True))
    )
    span = {"created_at__gte": since.isoformat()}
    return [
        Task(
            "Consents withdrawn in 30 days",
            counts["withdrawn"],
            "See that nothing goes on that rested on them.",
            list_url(ConsentRecord, event__exact=ConsentEvent.WITHDRAWN, **span),
        ),
        Task(
            "Consents to an unknown version in 30 days",
            counts["flagged"],
            "The client named a version that was never published here: ask them to consent anew.",
            list_url(ConsentRecord, is_flagged__exact=1, **span),
        ),
    ]


@panel(Area.TASKS, "consent.publish_consentdocument")
def drafts(_viewer: Viewer) -> list[Task]:
    """Documents that nobody is asked to accept yet."""
    count = ConsentDocument.objects.filter(published_at=None).count()
    url = list_url(ConsentDocument, published_at__isnull=True)
    return [Task("Drafts of consent documents", count, "Publish them, or delete what is not needed.", url)]
