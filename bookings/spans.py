"""The span of time that a session occupies, as the database works it out."""

from __future__ import annotations

from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary
from django.db import models
from django.db.models import F, Func


def _in_utc(column: str) -> Func:
    """An instant without its zone: only to such a one PostgreSQL adds minutes for good, as an index needs it."""
    return Func(F(column), template="(%(expressions)s AT TIME ZONE 'UTC')", output_field=models.DateTimeField())


BUFFER = Func(
    F("buffer_minutes"), template="(%(expressions)s * INTERVAL '1 minute')", output_field=models.DurationField()
)
# The half-open span [start, end and buffer): the next session may begin the moment that it is over.
OCCUPIED_SPAN = Func(
    _in_utc("starts_at"),
    _in_utc("ends_at") + BUFFER,
    RangeBoundary(),
    function="TSRANGE",
    output_field=DateTimeRangeField(),
)
