"""Calls that answer with something else than JSON, whatever the caller says it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.negotiation import DefaultContentNegotiation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rest_framework.renderers import BaseRenderer
    from rest_framework.request import Request


class WhateverIsAccepted(DefaultContentNegotiation):
    """The answer is a file; only a refusal is rendered, and a refusal is JSON."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Take the first renderer."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type or ""
