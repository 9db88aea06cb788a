from __future__ import annotations

from typing import Any

import pytest

from mindfulqalb.webhooks.bodies import json_object


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": {"b": [1, null]}}', {"a": {"b": [1, None]}}),
        (' {"a": "\u0906"} ', {"a": "\u0906"}),
        ("{}", {}),
    ],
)
def test_json_object_is_read(text: str, value: dict[str, Any]) -> None:
    assert json_object(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "[]",
        "[{}]",
        "null",
        "5",
        '"text"',
        "{'a': 1}",
        "\ufeff{}",
        "[" * 200_000,
        '{"a":' * 200_000,
        "1" * 5000,
    ],
)
def test_whatever_else_reads_as_an_empty_one(text: str) -> None:
    assert json_object(text) == {}
