"""The links of the API's description lead from answers that there are to fields that there are."""

from __future__ import annotations

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from bookings.next_calls import LINKS


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    described: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return described


def operations(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {operation["operationId"]: operation for path in schema["paths"].values() for operation in path.values()}


def test_every_link_is_described(schema: dict[str, Any]) -> None:
    described = {
        (name, status): response["links"]
        for name, operation in operations(schema).items()
        for status, response in operation["responses"].items()
        if "links" in response
    }

    assert described == LINKS


def test_links_fill_parameters_and_fields_that_there_are(schema: dict[str, Any]) -> None:
    known = operations(schema)
    for link in (link for links in LINKS.values() for link in links.values()):
        target = known[link["operationId"]]
        assert set(link.get("parameters", ())) <= {parameter["name"] for parameter in target.get("parameters", ())}
        if "requestBody" in link:
            content = target["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            fields = schema["components"]["schemas"][content.rpartition("/")[2]]["properties"]
            assert set(link["requestBody"]) <= set(fields)
