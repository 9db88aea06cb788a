"""What panels return, ready to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.urls import reverse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from django.db.models import Model


@dataclass(frozen=True)
class Appointment:
    """A session in the agenda. `client` is masked; `note` says what is unusual about it."""

    begins: str
    ends: str
    title: str
    client: str
    therapist: str
    note: str
    url: str
    is_now: bool
    is_over: bool


@dataclass(frozen=True)
class Day:
    """A day of the agenda, on the practice's clock."""

    date: date
    is_today: bool
    url: str
    appointments: Sequence[Appointment]


@dataclass(frozen=True)
class Task:
    """Things that wait for a person: how many, what to do about them, and the list of just these."""

    title: str
    count: int
    advice: str
    url: str


@dataclass(frozen=True)
class Sign:
    """A sign of life of the machinery, and where to look closer."""

    title: str
    text: str
    is_well: bool
    url: str


def list_url(model: type[Model], **query: object) -> str:
    """Address a model's list in the admin, filtered."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def ago(seconds: float) -> str:
    """Say a duration as people do, in its largest unit: `3 minutes`."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
