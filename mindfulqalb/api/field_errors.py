"""Field errors as callers know their fields: flat dotted names, and a sentence that says them in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rest_framework.settings import api_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES_IN_SENTENCE = 5
# Some messages repeat what was sent, and that may be very long.
LONGEST_MESSAGE = 300


def flatten_errors(detail: object) -> tuple[dict[str, list[str]], list[str]]:
    """Divide a serializer's nested errors into `{"customer.email": [...]}` and what concerns the request as a whole.

    Items of a list are named by position from zero (`acknowledgments.0`), as in JavaScript.
    """
    fields: dict[str, list[str]] = {}
    for name, message in _walk(detail, ()):
        fields.setdefault(name, []).append(message)
    return fields, fields.pop("", [])


def sentence_about(fields: dict[str, list[str]]) -> str:
    """Say in words which fields are meant, and of the first what is wrong with it. `fields` must not be empty."""
    name, messages = next(iter(fields.items()))
    words = in_words(name)
    first = f"{words[:1].upper()}{words[1:]}: {messages[0] if messages else 'not right.'}"
    return first if len(fields) == 1 else f"Please check {_listed([in_words(name) for name in fields])}. {first}"


def in_words(name: str) -> str:
    """Spell `customer.email`, `sessionType` or `razorpay_order_id` as a person would say it."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace(".", " ").replace("_", " ")
    return " ".join(word if word.isupper() else word.lower() for word in apart.split())


def _walk(detail: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _walk(value, path if key == api_settings.NON_FIELD_ERRORS_KEY else (*path, str(key)))
    elif isinstance(detail, list):
        for position, value in enumerate(detail):
            yield from _walk(value, (*path, str(position)) if isinstance(value, dict) else path)
    else:
        yield ".".join(path), str(detail)[:LONGEST_MESSAGE]


def _listed(names: list[str]) -> str:
    shown, more = names[:NAMES_IN_SENTENCE], len(names) - NAMES_IN_SENTENCE
    last = f"{more} more" if more > 0 else shown.pop()
    return f"{', '.join(shown)} and {last}"
