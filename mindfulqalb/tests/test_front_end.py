"""What the README tells front ends to call is what the API describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
EXAMPLE = README.split("```ts\n")[1].split("```")[0]
CALL = re.compile(r'data(?:: (\w+))?, error \} = await api\.(\w+)\("([^"]+)", \{ body: \{ ([\w, ]+) \} \}\)')


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    described: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return described


def resolved(schema: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name]
    return found


def test_readme_calls_what_there_is_with_fields_that_there_are(schema: dict[str, Any]) -> None:
    calls = CALL.findall(EXAMPLE)

    assert [path for _, _, path, _ in calls] == ["/api/availability", "/api/payments/create-order"]
    for variable, method, path, sent in calls:
        operation = schema["paths"][path][method.lower()]
        wanted = resolved(schema, operation["requestBody"]["content"])
        answer = resolved(schema, operation["responses"]["200"]["content"])
        assert set(sent.split(", ")) <= set(wanted["properties"])
        assert set(wanted.get("required", ())) <= set(sent.split(", "))
        used = set(re.findall(rf"\b{variable or 'data'}\.(\w+)", EXAMPLE))
        assert used
        assert used <= set(answer["required"])


def test_every_operation_is_one_that_a_generator_can_name(schema: dict[str, Any]) -> None:
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]

    assert (len(names) > 20, len(set(names))) == (True, len(names))
    assert [op["operationId"] for op in operations if not any(status < "300" for status in op["responses"])] == []


def test_generator_is_pinned() -> None:
    assert re.search(r"npx --yes openapi-typescript@\d+\.\d+\.\d+ ", (ROOT / "Makefile").read_text())
    assert re.search(r"npm install openapi-fetch@\d+\.\d+\.\d+`", README)
