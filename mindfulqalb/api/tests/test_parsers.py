"""JSON is read strictly, and said to be wrong where it is."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.api.errors import MalformedJson
from mindfulqalb.api.parsers import parse_object

MALFORMED = {
    b"": "The request body is not valid JSON: Expecting value (line 1, column 1).",
    b'{"a": 1,\n b}': "The request body is not valid JSON: Expecting property name enclosed in double quotes"
    " (line 2, column 2).",
    b"[]": 'The request body must be a JSON object, such as {"name": "value"}.',
    b'"text"': 'The request body must be a JSON object, such as {"name": "value"}.',
    b"null": 'The request body must be a JSON object, such as {"name": "value"}.',
    b'{"a": "\xff"}': "The request body is not text in UTF-8.",
    b'{"a": "\\ud800"}': "The request body is not text in UTF-8.",
    b'{"\\udfff": 1}': "The request body is not text in UTF-8.",
    '{"a": 1}'.encode("utf-16"): "The request body is not text in UTF-8.",
    b'{"a": NaN}': "The request body holds NaN, which is not JSON.",
    b'{"a": [-Infinity]}': "The request body holds -Infinity, which is not JSON.",
    b'{"a": 1e999}': "The request body holds a number that is too large.",
    b'{"a": ' + b"9" * 5000 + b"}": "The request body holds a number that is too large.",
    b'{"a": 1, "a": 2}': "The request body names the same key twice.",
    b'{"c": {"a": 1, "\\u0061": 2}}': "The request body names the same key twice.",
    b'{"a":' * 20_000: "The request body is nested too deeply.",
    b"[" * 60_000: "The request body is nested too deeply.",
}


@pytest.mark.parametrize(("body", "sentence"), MALFORMED.items())
def test_a_malformed_body_is_told_what_is_wrong(body: bytes, sentence: str) -> None:
    with pytest.raises(MalformedJson) as caught:
        parse_object(body)

    assert caught.value.detail == sentence


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert parse_object(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.booleans() | st.none()))
def test_what_json_writes_is_read_back(value: dict[str, object]) -> None:
    assert parse_object(json.dumps(value).encode()) == value


@given(st.binary())
def test_no_bytes_do_more_than_refuse(body: bytes) -> None:
    try:
        assert isinstance(parse_object(body), dict)
    except MalformedJson as refusal:
        assert refusal.status == 400  # noqa: PT017


@pytest.mark.urls("mindfulqalb.api.tests.urls")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=bz2", 200),
        ("text/plain;charset=UTF-8", 200),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/xml", 415),
        ("/", 415),
        (";", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken(content_type: str, status: int) -> None:
    response = Client().generic("POST", "/api/echo", b'{"date": "2026-12-01"}', content_type)

    assert response.status_code == status


@pytest.mark.urls("mindfulqalb.api.tests.urls")
def test_a_malformed_body_is_answered_in_the_one_shape() -> None:
    response = Client().generic("POST", "/api/echo", b'{"date": ', "application/json")

    body = response.json()
    assert (response.status_code, body["code"], body["fields"]) == (400, "malformed_json", {})
