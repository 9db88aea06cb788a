"""The API describes itself, refusals included, and its pages need nobody else."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest
from django.test import Client

from mindfulqalb.api.errors import InvalidInput, Unavailable
from mindfulqalb.api.schema import CLIENT_LINK, ERROR_SCHEMA, describe_errors

if TYPE_CHECKING:
    from mindfulqalb.api.errors import Refusal

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")

REFERENCE = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def described(**operation: Any) -> dict[str, Any]:
    result = describe_errors({"paths": {"/api/x": {"post": operation, "parameters": []}}}, generator=None, public=True)
    responses: dict[str, Any] = result["paths"]["/api/x"]["post"]["responses"]
    return responses


def test_every_operation_may_refuse() -> None:
    schema = Client().get("/api/schema").json()

    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) >= 2
    for operation in operations:
        for status in ("400", "404", "429", "500", "503"):
            assert operation["responses"][status]["content"] == REFERENCE
    assert schema["components"]["schemas"]["Error"] == ERROR_SCHEMA


def test_refusals_depend_on_the_operation() -> None:
    assert sorted(described()) == ["400", "404", "429", "500", "503"]
    assert sorted(described(requestBody={})) == ["400", "404", "408", "413", "415", "429", "500", "503"]
    assert sorted(described(security=[{"bearer": []}])) == ["400", "401", "403", "404", "429", "500", "503"]
    assert sorted(described(security=[{CLIENT_LINK: []}])) == ["400", "401", "404", "429", "500", "503"]
    assert sorted(described(security=[{}])) == ["400", "404", "429", "500", "503"]


def test_view_names_refusals_of_its_own() -> None:
    responses = described(**{"x-refusals": ["402", "409"]})

    assert sorted(responses) == ["400", "402", "404", "409", "429", "500", "503"]
    assert responses["409"]["content"] == REFERENCE


def test_what_a_view_says_itself_stays() -> None:
    own = {"description": "Somebody was faster."}

    responses = described(responses={"409": own, "400": own})

    assert (responses["409"], responses["400"]) == (own, own)
    assert list(responses) == sorted(responses)


@pytest.mark.parametrize("refusal", [Unavailable(), InvalidInput(fields={"customer.email": ["Please enter one."]})])
def test_an_answer_has_the_shape_described(refusal: Refusal) -> None:
    jsonschema.validate(refusal.body, ERROR_SCHEMA)
    jsonschema.validate(ERROR_SCHEMA["example"], ERROR_SCHEMA)
    assert sorted(refusal.body) == sorted(ERROR_SCHEMA["properties"])


def test_fields_of_ours_describe_themselves() -> None:
    schemas = Client().get("/api/schema").json()["components"]["schemas"]

    assert schemas["Echo"]["properties"]["time"] == {"type": "string", "example": "10:00 AM"}
    assert schemas["Customer"]["properties"]["email"]["format"] == "email"
    assert schemas["Customer"]["properties"]["phone"]["nullable"] is True


def test_the_page_loads_from_here_alone_and_keeps_to_the_policy() -> None:
    response = Client().get("/api/docs")
    page, policy = response.content.decode(), response["Content-Security-Policy"]

    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) == 5
    assert [source for source in sources if not source.startswith(("/static/", "/api/"))] == []
    assert re.findall(r"<script>|\son\w+=", page) == []
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{digest}'" in policy


def test_the_page_s_script_asks_for_our_schema() -> None:
    response = Client().get("/api/docs?script=")

    assert response["Content-Type"] == "application/javascript"
    assert 'url: "/api/schema"' in response.content.decode()
