"""The log of calls and webhooks."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.calls import readable_body
from mindfulqalb.sandbox.pages.frame import pending_webhooks, presented_call, show, tone
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ROWS = 100


def calls_page(request: HttpRequest) -> HttpResponse:
    """Show both logs, newest first."""
    calls = [presented_call(entry) | {"body": _indented(readable_body(entry))} for entry in store().last("call", ROWS)]
    book = pending_webhooks()[::-1] + store().last(webhooks.FINISHED, ROWS)
    return show(request, "calls.html", {"calls": calls, "webhooks": [_webhook(delivery) for delivery in book]})


def _webhook(delivery: Record) -> dict[str, Any]:
    outcome = delivery.get("outcome", "on the way")
    return {
        **delivery,
        "outcome": outcome,
        "tone": tone(outcome),
        "is_finished": "outcome" in delivery,
        "answers": _counted(delivery["answers"]),
        "body": _indented(json.loads(delivery["body"])),
    }


def _counted(answers: list[str]) -> list[str]:
    """Write each run of the same answer once: `500, 3 x ConnectionError, 200`."""
    runs = [(answer, len(list(same))) for answer, same in groupby(answers)]
    return [answer if number == 1 else f"{number} x {answer}" for answer, number in runs]


def _indented(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
