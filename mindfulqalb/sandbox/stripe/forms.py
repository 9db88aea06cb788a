"""Stripe's parameters: form fields with bracketed names, read and checked against a shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from mindfulqalb.sandbox.stripe.envelope import StripeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

Shape = dict[str, Any]
PART = re.compile(r"\[([^\]]*)\]")
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def read_params(request: HttpRequest, shape: Shape, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the parameters of body and query, in the shape's types. Raises StripeError for anything not in it."""
    text = request.META.get("QUERY_STRING", "") if request.method == "GET" else request.body.decode("utf-8", "replace")
    given = nested(parse_qsl(text, keep_blank_values=True))
    checked = _checked_object(given, {**shape, "expand": [is_text]}, "")
    for name in required:
        if name not in checked:
            raise StripeError(f"Missing required param: {name}.", param=name, code="parameter_missing")
    return checked


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Turn `a[b][0]=c` into `{"a": {"b": {"0": "c"}}}`; lists are objects with numbers for names here."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        head, *_ = name.partition("[")
        node, keys = result, [head, *PART.findall(name)]
        for key in keys[:-1]:
            child = node.setdefault(key, {})
            if not isinstance(child, dict):
                raise StripeError(f"Invalid {head}", param=head)
            node = child
        node[keys[-1] or str(len(node))] = value
    return result


def _checked(value: Any, shape: Any, name: str) -> Any:
    if isinstance(shape, dict):
        return _checked_object(value, shape, name)
    if isinstance(shape, list):
        return _checked_list(value, shape[0], name)
    check: Callable[[Any, str], Any] = shape
    return check(value, name)


def _checked_object(value: Any, shape: Shape, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise StripeError("Invalid object", param=name)
    checked = {}
    for key, item in value.items():
        inner = f"{name}[{key}]" if name else key
        if key not in shape:
            raise StripeError(f"Received unknown parameter: {inner}", param=inner, code="parameter_unknown")
        checked[key] = _checked(item, shape[key], inner)
    return checked


def _checked_list(value: Any, shape: Any, name: str) -> list[Any]:
    if not isinstance(value, dict):
        raise StripeError("Invalid array", param=name)
    return [_checked(item, shape, f"{name}[{index}]") for index, item in value.items()]


def is_text(value: Any, name: str) -> str:
    """Check a text. An empty one would be an attempt to unset what cannot be unset."""
    if not isinstance(value, str):
        raise StripeError("Invalid string", param=name)
    if not value:
        raise StripeError(f"You passed an empty string for '{name}'.", param=name, code="parameter_invalid_empty")
    return value


def is_integer(value: Any, name: str) -> int:
    """Check a whole number."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        raise StripeError(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    return int(value)


def is_flag(value: Any, name: str) -> bool:
    """Check a boolean."""
    if value not in {"true", "false"}:
        raise StripeError(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def is_url(value: Any, name: str) -> str:
    """Check an absolute URL; `{CHECKOUT_SESSION_ID}` may stand in it."""
    parts = urlsplit(is_text(value, name))
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise StripeError("Not a valid URL", param=name, code="url_invalid")
    return str(value)


def is_email(value: Any, name: str) -> str:
    """Check an email address."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", is_text(value, name)):
        raise StripeError(f"Invalid email address: {value}", param=name, code="email_invalid")
    return str(value)


def one_of(*choices: str) -> Callable[[Any, str], str]:
    """Check a word of a list."""

    def check(value: Any, name: str) -> str:
        if value not in choices:
            listed = ", ".join(choices[:-1]) + (f", or {choices[-1]}" if len(choices) > 1 else choices[0])
            raise StripeError(f"Invalid {name}: must be one of {listed}", param=name)
        return str(value)

    return check


def at_most(length: int) -> Callable[[Any, str], str]:
    """Check a text of limited length."""

    def check(value: Any, name: str) -> str:
        if len(is_text(value, name)) > length:
            sentence = f"Invalid string: must be at most {length} characters"
            raise StripeError(sentence, param=name, code="parameter_invalid_string")
        return str(value)

    return check


def is_metadata(value: Any, name: str) -> dict[str, str]:
    """Check metadata: at most 50 keys of 40 characters with texts of 500."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise StripeError("Metadata should be a hash", param=name)
    if len(value) > MOST_METADATA:
        raise StripeError(f"Metadata can only have up to {MOST_METADATA} keys", param=name)
    for key, item in value.items():
        if len(key) > LONGEST_KEY:
            raise StripeError(f"Metadata keys can only be up to {LONGEST_KEY} characters", param=f"{name}[{key}]")
        at_most(LONGEST_VALUE)(item, f"{name}[{key}]")
    return value


def anything(value: Any, name: str) -> Any:
    """Accept what the sandbox does not look into."""
    return value
