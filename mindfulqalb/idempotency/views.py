"""Honour `Idempotency-Key` on a view's method."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.idempotency.services import Asked, claim_or_recall, give_up, keep_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request

    from mindfulqalb.idempotency.models import KeptAnswer

HEADER = "Idempotency-Key"
# How the API's description names it.
IDEMPOTENCY_KEY = OpenApiParameter(
    name=HEADER,
    type=str,
    location=OpenApiParameter.HEADER,
    description="Repeats of a request with the same key and body get the same answer. Best a UUID.",
)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
V = TypeVar("V")


def idempotent(method: Callable[[V, Request], Response]) -> Callable[[V, Request], Response]:
    """Execute a request once per key and body, and repeat its answer to whoever repeats it.

    Only success is kept: a refusal may be otherwise a moment later, and nothing was done. Without the header nothing
    changes.
    """

    @functools.wraps(method)
    def answered_once(view: V, request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return method(view, request)
        if not _KEY.fullmatch(key):
            raise InvalidInput(fields={HEADER: ["Use 1 to 255 visible ASCII characters, best a UUID."]})
        asked = Asked(key=key, path=request.path, body=request._request.body)  # noqa: SLF001  (the bytes, not the parse)
        claim = claim_or_recall(asked=asked, now=timezone.now())
        if claim.status is not None:
            return Response(json.loads(claim.answer or "null"), status=claim.status)
        return _execute(lambda: method(view, request), claim)

    return answered_once


def _execute(call: Callable[[], Response], claim: KeptAnswer) -> Response:
    try:
        response = call()
    except BaseException:
        give_up(claim=claim)
        raise
    keep_answer(claim=claim, status=response.status_code, answer=_json(response.data))
    return response


def _json(data: Any) -> str:
    return json.dumps(data, cls=JSONEncoder)  # which spells times as the first answer did
