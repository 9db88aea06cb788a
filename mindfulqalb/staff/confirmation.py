"""Ask before an admin action does what cannot be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib import admin
    from django.db.models import Model
    from django.http import HttpRequest

LINES_SHOWN = 50


@dataclass(frozen=True)
class Question:
    """What to ask: `line` says of one row what will happen to it.

    The answer to `asks_why` comes as `reason`, what is written under `input_label` as `input`.
    """

    title: str
    text: str
    yes: str
    line: Callable[[Any], str] = str
    asks_why: bool = False
    input_label: str = ""


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the person has said yes on the page that asks."""
    return request.POST.get("confirmed") == "yes"


def ask_first(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: Sequence[Model], question: Question, *, action: str
) -> TemplateResponse:
    """Make the page that asks. Its `key` is its own, so that an answer that comes twice is known as one."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "question": question,
        "lines": [question.line(row) for row in rows[:LINES_SHOWN]],
        "more": max(0, len(rows) - LINES_SHOWN),
        "ids": [row.pk for row in rows],
        "key": uuid4(),
        "action": action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)
