"""Requests about one's own data on the first page: the law counts the days."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Count, Q

from mindfulqalb.staff.desk.items import Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.subject_requests.models import SubjectRequest

SOON = timedelta(days=7)


@panel(Area.TASKS, "subject_requests.view_subjectrequest")
def requests_due(viewer: Viewer) -> list[Task]:
    """Requests that are late, and those that will be in a week."""
    soon = viewer.now + SOON
    counts = SubjectRequest.objects.filter(closed_at=None, due_at__lt=soon).aggregate(
        late=Count("id", filter=Q(due_at__lt=viewer.now)), soon=Count("id", filter=Q(due_at__gte=viewer.now))
    )
    still_open = {"closed_at__isempty": 1}
    moments = [each.replace(microsecond=0).isoformat() for each in (viewer.now, soon)]
    return [
        Task(
            "Requests about one's own data: overdue",
            counts["late"],
            "Answer today, and say why it took so long.",
            list_url(SubjectRequest, due_at__lt=moments[0], **still_open),
        ),
        Task(
            "Requests about one's own data: due in a week",
            counts["soon"],
            "See how we know that it is them, gather what is held, and answer.",
            list_url(SubjectRequest, due_at__gte=moments[0], due_at__lt=moments[1], **still_open),
        ),
    ]
