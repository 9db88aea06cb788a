"""The sandbox's own style sheet and scripts."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse

FOLDER = Path(__file__).resolve().parent.parent / "static"


def static_file(request: HttpRequest, name: str) -> HttpResponse:
    """Serve one file of the static folder."""
    if name not in {file.name for file in FOLDER.iterdir()}:
        raise Http404
    content_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return HttpResponse((FOLDER / name).read_bytes(), content_type=f"{content_type}; charset=utf-8")
