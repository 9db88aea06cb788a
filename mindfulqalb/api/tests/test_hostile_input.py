"""Whatever is sent, nothing falls over: every answer is a success or a refusal in the one shape, and never a 500."""

from __future__ import annotations

import json
from typing import Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest
from django.test import Client
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mindfulqalb.api.schema import ERROR_SCHEMA

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")

header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
odd_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["\x00", "\u202e", "9" * 500]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["customer", "sessionType", "date", "time", "notes", "razorpay_order_id", "acknowledgments", "email", "__proto__"]
)
customers = st.dictionaries(st.sampled_from(["name", "email", "phone"]), odd_values)


def assert_answered(response: Any) -> None:
    body = json.loads(response.content)
    assert response.status_code in {200, 400, 404, 405, 406, 413, 415}
    if response.status_code != 200:
        jsonschema.validate(body, ERROR_SCHEMA)
        assert body["requestId"] == response["X-Request-ID"]


@settings(max_examples=50)
@given(st.dictionaries(names, odd_values | customers))
@example({"sessionType": "\ud800"})
@example({"sessionType": "x" * 60_000})
@example({"sessionType": {"a": ["\ud800"]}})
@example({"customer": {"email": "a@" + "b." * 20_000}})
@example({"customer": {"phone": "+" + "9" * 20_000}})
@example({"customer": {"name": "\u0301" * 20_000}})
@example({"acknowledgments": [5] * 10_000})
@example({"date": 10**4000})
def test_any_json_is_answered(body: dict[str, Any]) -> None:
    assert_answered(Client().post("/api/echo", json.dumps(body), "application/json"))


@settings(max_examples=50)
@given(st.binary(max_size=200), header_text)
@example(b"\x1f\x8b", "application/json; charset=bz2_codec")
@example(b"{}", "application/json; charset=\xff")
@example(b"{}", "multipart/form-data")
@example(b"a=b", "application/x-www-form-urlencoded; charset=utf-7")
def test_any_bytes_under_any_type_are_answered(body: bytes, content_type: str) -> None:
    assert_answered(Client().generic("POST", "/api/echo", body, content_type))
    assert_answered(Client().generic("POST", "/api/echo", body, "application/json"))


@settings(max_examples=50)
@given(header_text, header_text, header_text)
@example("application/json; q=x", "", "")
@example("*/*; q=0.1; ;=", "a" * 65, "gzip")
def test_any_headers_are_answered(accept: str, request_id: str, encoding: str) -> None:
    headers = {
        "Accept": accept,
        "X-Request-ID": request_id,
        "Accept-Encoding": encoding,
        "Content-Encoding": encoding,
        "X-Forwarded-For": accept,
        "Authorization": accept,
        "Cookie": request_id,
        "Accept-Language": encoding,
    }

    assert_answered(Client().post("/api/echo", "{}", "application/json", headers=headers))


@settings(max_examples=50)
@given(st.text(max_size=40))
@example("%")
@example("%00")
@example("\u202e/../../etc/passwd")
def test_any_address_is_answered(path: str) -> None:
    assert_answered(Client().get(f"/api/{path}"))
    assert_answered(Client().get("/api/health", {"format": path, path: path}))


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "post", "", "\u00e9"]
)
def test_any_method_is_answered(method: str) -> None:
    response = Client().generic(method, "/api/echo", b"{}", "application/json")

    assert_answered(response)
    assert response.status_code in {200, 405}
