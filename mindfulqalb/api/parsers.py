"""JSON bodies, read strictly: what one reader takes for A and another for B is refused."""

from __future__ import annotations

import json
import math
from typing import IO, TYPE_CHECKING, Any, NoReturn

from rest_framework.parsers import JSONParser

from mindfulqalb.api.errors import MalformedJson

if TYPE_CHECKING:
    from collections.abc import Mapping


class StrictJSONParser(JSONParser):
    """Read one JSON object in UTF-8.

    Raises MalformedJson, with line and column where known, on invalid UTF-8, NaN and infinities, numbers too large, a
    repeated key, lone surrogates, bottomless nesting, and whatever is not an object.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Read `stream` to its end. A charset in the Content-Type is ignored: JSON is UTF-8 (RFC 8259, 8.1)."""
        return parse_object(stream.read())


class PlainTextJSONParser(StrictJSONParser):
    """The same for a body that calls itself text/plain, as `fetch` does when no Content-Type is given."""

    media_type = "text/plain"


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object, or raise MalformedJson."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
        # `"\ud800"` is legal JSON and no text: it would fail much later, in the database or in our own answer.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as exc:
        raise MalformedJson("The request body is not text in UTF-8.") from exc
    except json.JSONDecodeError as exc:
        raise MalformedJson(
            f"The request body is not valid JSON: {exc.msg} (line {exc.lineno}, column {exc.colno})."
        ) from exc
    except RecursionError as exc:
        raise MalformedJson("The request body is nested too deeply.") from exc
    except ValueError as exc:
        raise MalformedJson("The request body holds a number that is too large.") from exc
    if not isinstance(value, dict):
        raise MalformedJson('The request body must be a JSON object, such as {"name": "value"}.')
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise MalformedJson("The request body names the same key twice.")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedJson(f"The request body holds {name}, which is not JSON.")
