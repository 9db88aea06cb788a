"""A request has one id, from its first header to its last log line."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.observability.logging import JsonFormatter
from mindfulqalb.observability.request_ids import bound_request_id, current_request_id

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")


@pytest.mark.parametrize("inbound", ["abcd1234", "A-b_" * 16, "00000000-0000-0000-0000-000000000000"])
def test_a_well_formed_id_is_kept(inbound: str) -> None:
    response = Client().get("/api/health", headers={"X-Request-ID": inbound})

    assert response["X-Request-ID"] == inbound


@pytest.mark.parametrize("inbound", ["", "short", "x" * 65, "abcd 1234", "abcd1234\n", "abcd1234\u0662", "<script>1"])
def test_another_id_is_replaced(inbound: str) -> None:
    response = Client().get("/api/health", headers={"X-Request-ID": inbound})

    assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])


@given(st.text())
def test_no_header_leaves_an_answer_without_an_id(inbound: str) -> None:
    response = Client().get("/api/health", headers={"X-Request-ID": inbound})

    assert re.fullmatch("[A-Za-z0-9_-]{8,64}", response["X-Request-ID"])


def test_every_request_gets_another_one() -> None:
    first, second = (Client().get("/api/health")["X-Request-ID"] for _ in range(2))

    assert first != second


def test_an_error_carries_the_id_in_its_body() -> None:
    response = Client().get("/api/nowhere")

    assert response.json()["requestId"] == response["X-Request-ID"]


def test_the_id_ends_with_its_block() -> None:
    assert current_request_id() == ""
    with bound_request_id("outer-id"):
        with bound_request_id("inner-id"):
            assert current_request_id() == "inner-id"
        assert current_request_id() == "outer-id"
    assert current_request_id() == ""


def test_the_id_ends_with_its_request() -> None:
    Client().get("/api/health")

    assert current_request_id() == ""


def test_what_django_logs_after_all_middleware_still_has_the_id(caplog: pytest.LogCaptureFixture) -> None:
    response = Client().get("/api/nowhere")

    (record,) = [record for record in caplog.records if record.name == "django.request"]
    assert record.levelno == logging.WARNING
    assert json.loads(JsonFormatter().format(record))["requestId"] == response["X-Request-ID"]
