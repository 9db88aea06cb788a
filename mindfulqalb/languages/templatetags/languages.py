"""What templates ask about languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.conf import settings
from django.utils import timezone, translation

from mindfulqalb.languages.writing import clock_span, gmt_offset, time_of_day

if TYPE_CHECKING:
    from datetime import datetime

register = template.Library()


@register.simple_tag
def clock(start: datetime, end: datetime) -> str:
    """From when to when, in the time zone around it."""
    return clock_span(timezone.localtime(start), timezone.localtime(end))


@register.filter(name="time_of_day", expects_localtime=True)
def written_time_of_day(moment: datetime) -> str:
    """One time, in the time zone around it."""
    return time_of_day(moment)


@register.filter(name="gmt_offset", expects_localtime=True)
def written_gmt_offset(moment: datetime) -> str:
    """How far the time zone around it is from Greenwich."""
    return gmt_offset(moment)


@register.simple_tag
def other_languages() -> list[dict[str, Any]]:
    """The languages to change to, each by its own name."""
    current = translation.get_language()
    return [{"code": code, "name": name} for code, name in settings.LANGUAGES if code != current]
