"""What a stand-in says to a caller, before it becomes bytes; and how it says no."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse

DISCONNECT = "sandbox.disconnect"


@dataclass
class Answer:
    """An HTTP answer; `disconnect` closes the connection without one."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    disconnect: bool = False

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Turn it into Django's response; text is HTML, anything else JSON."""
        if self.disconnect:
            request.META[DISCONNECT] = True
        is_text = isinstance(self.body, str)
        content = self.body if is_text else json.dumps(self.body, ensure_ascii=False)
        content_type = "text/html; charset=utf-8" if is_text else "application/json; charset=utf-8"
        return HttpResponse(content, status=self.status, content_type=content_type, headers=self.headers)


class VendorError(Exception):
    """A stand-in refuses, in its vendor's own words. Whatever the call had written is rolled back."""

    def answer(self, request: HttpRequest) -> Answer:
        """Return the refusal as the vendor would send it."""
        raise NotImplementedError


def json_body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body, empty when there is no body. Raises ValueError on anything else."""
    if not request.body.strip():
        return {}
    loaded = json.loads(request.body)
    if not isinstance(loaded, dict):
        raise ValueError("the body must be a JSON object")  # noqa: TRY004 - like any other unreadable body
    return loaded
