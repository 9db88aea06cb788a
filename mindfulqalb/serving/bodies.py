"""The body of a request, awaited before anybody works on the request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.conf import settings

from mindfulqalb.api.body_limits import body_limit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]


class BodyState(StrEnum):
    """What became of a body."""

    WHOLE = "whole"
    LARGE = "large"
    LATE = "late"


class ClientLeft(Exception):
    """The connection ended before the request did."""


@dataclass(frozen=True)
class Body:
    """What came, and the length in bytes that counts: that of a body that was not taken is what was announced."""

    content: bytes
    length: int
    state: BodyState = BodyState.WHOLE


async def await_body(scope: dict[str, Any], receive: Receive) -> Body:
    """Wait BODY_SECONDS at most for all of a body, and take no more of it than its path allows.

    Raises:
        ClientLeft: nobody is there any more to answer.
    """
    limit, announced = body_limit(scope["path"]), _announced(scope["headers"])
    if announced > limit:
        return Body(b"", announced, BodyState.LARGE)
    try:
        async with asyncio.timeout(settings.BODY_SECONDS):
            content = await _read(receive, limit)
    except TimeoutError:
        return Body(b"", 0, BodyState.LATE)
    if len(content) > limit:
        return Body(b"", len(content), BodyState.LARGE)
    if len(content) < announced:
        raise ClientLeft
    return Body(content, len(content))


async def _read(receive: Receive, limit: int) -> bytes:
    content, has_more = bytearray(), True
    while has_more and len(content) <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        content += message.get("body", b"")
        has_more = message.get("more_body", False)
    return bytes(content)


def _announced(headers: list[tuple[bytes, bytes]]) -> int:
    value = dict(headers).get(b"content-length", b"")
    # Python refuses to read a number of thousands of digits; its first eighteen will do.
    return int(value[:18]) if value.isdigit() else 0
