"""Ask before an admin action does what cannot be undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.template.response import TemplateResponse

from mindfulqalb.api.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.contrib import admin
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


@dataclass(frozen=True)
class Question:
    """What to ask: `line` says of one row what will happen to it.

    The answer to `asks_why` comes as `reason`, what is written under `input_label` as `input`.
    """

    action: str
    title: str
    text: str
    yes: str
    line: Callable[[Any], str]
    asks_why: bool = False
    input_label: str = ""


def ask_first(
    model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any], question: Question
) -> TemplateResponse | None:
    """Return the page that asks, or None when the person has said yes on it."""
    if request.POST.get("confirmed") == "yes":
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": question.title,
        "question": question.text,
        "yes": question.yes,
        "asks_why": question.asks_why,
        "input_label": question.input_label,
        "lines": [question.line(row) for row in rows],
        "ids": [row.pk for row in rows],
        "action": question.action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "opts": model_admin.opts,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def act_on_each(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    rows: Iterable[Model],
    act: Callable[[Any], object],
    *,
    done: str,
) -> None:
    """Act on each row by itself and say what came of it: one that is refused does not stop the others."""
    count = 0
    for row in rows:
        try:
            act(row)
        except Refusal as refusal:
            model_admin.message_user(request, f"{row}: {refusal.detail}", "WARNING")
        else:
            count += 1
    if count:
        model_admin.message_user(request, f"{done}: {count}.", "SUCCESS")
