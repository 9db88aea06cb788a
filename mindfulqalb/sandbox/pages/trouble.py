"""The page with the fault switches."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.faults import CALLS, EVENTS, KINDS, VENDORS
from mindfulqalb.sandbox.pages.frame import presented_faults, show
from mindfulqalb.sandbox.pages.presets import GROUPS
from mindfulqalb.sandbox.switches import SWITCHES, switches

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def trouble_page(request: HttpRequest) -> HttpResponse:
    """Show what is switched on, presets, a form for anything else, and the table of kinds."""
    context = {
        "faults": presented_faults(),
        "presets": GROUPS,
        "vendors": VENDORS,
        "kinds": KINDS,
        "known_calls": sorted({name for names in CALLS.values() for name in names}),
        "calls": CALLS | {"webhooks": [event for events in EVENTS.values() for event in events]},
        "switches": [_switch(name, value) for name, value in switches().items()],
    }
    return show(request, "trouble.html", context)


def _switch(name: str, value: Any) -> dict[str, Any]:
    is_flag = isinstance(value, bool)
    return {
        "name": name,
        "json": json.dumps(value),
        "meaning": SWITCHES[name].meaning,
        "flipped": json.dumps({name: not value}) if is_flag else None,
        "verb": "Turn off" if value is True else "Turn on",
    }
