"""Bodies have a limit, declared or not."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from mindfulqalb.serving.environ import BODY_STATE

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")


class Drip(BytesIO):
    """A body that arrives byte by byte and notes how much was asked of it."""

    def read(self, size: int | None = -1) -> bytes:
        """Give one byte."""
        return super().read(min(1, size or 0) if size is None or size >= 0 else 1)


@pytest.fixture(autouse=True)
def limits(settings: Settings) -> None:
    settings.API_BODY_LIMIT = 1024
    settings.WEBHOOK_BODY_LIMIT = 2048


def send_undeclared(path: str, stream: BytesIO, *, terminated: bool = True, length: str = "") -> Any:
    environ: dict[str, Any] = {"wsgi.input": stream, "wsgi.input_terminated": terminated, "CONTENT_LENGTH": length}
    return Client().generic("POST", path, CONTENT_TYPE="application/json", **environ)


def post_undeclared(path: str, stream: BytesIO, *, terminated: bool = True, length: str = "") -> tuple[int, object]:
    response = send_undeclared(path, stream, terminated=terminated, length=length)
    body = json.loads(response.content)
    return response.status_code, body.get("length", body.get("code"))


@pytest.mark.parametrize(("path", "limit"), [("/api/measure", 1024), ("/api/webhooks/measure", 2048)])
def test_a_declared_body_is_taken_up_to_its_limit(path: str, limit: int) -> None:
    fits = Client().generic("POST", path, b"x" * limit)
    exceeds = Client().generic("POST", path, b"x" * (limit + 1))

    assert (fits.status_code, fits.json()) == (200, {"length": limit})
    assert (exceeds.status_code, exceeds.json()["code"]) == (413, "payload_too_large")
    assert exceeds.json()["error"] == f"This request is too large: at most {limit // 1024} KiB are taken."
    assert exceeds["X-Request-ID"] == exceeds.json()["requestId"]


def test_pages_are_left_to_django() -> None:
    assert Client().generic("POST", "/page/measure", b"x" * 5000).json() == {"length": 5000}


@pytest.mark.parametrize(("path", "limit"), [("/api/measure", 1024), ("/api/webhooks/measure", 2048)])
def test_an_undeclared_body_is_taken_up_to_its_limit(path: str, limit: int) -> None:
    assert post_undeclared(path, BytesIO(b"x" * limit)) == (200, limit)
    assert post_undeclared(path, Drip(b"x" * limit)) == (200, limit)
    assert post_undeclared(path, BytesIO(b"x" * (limit + 1))) == (413, "payload_too_large")
    assert post_undeclared(path, BytesIO()) == (200, 0)


def test_an_undeclared_body_is_read_no_further_than_needed() -> None:
    stream = BytesIO(b"x" * 1_000_000)

    post_undeclared("/api/measure", stream)

    assert stream.tell() == 1025


def test_a_body_that_may_never_end_is_not_begun() -> None:
    stream = BytesIO(b"x" * 10)

    assert post_undeclared("/api/measure", stream, terminated=False) == (200, 0)
    assert stream.tell() == 0


@pytest.mark.parametrize("length", ["9" * 5000, "9" * 19, "1025"])
def test_an_absurd_length_is_too_large(length: str) -> None:
    assert post_undeclared("/api/measure", BytesIO(), length=length) == (413, "payload_too_large")


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "\u0663", " "])
def test_a_length_that_is_none_is_measured(length: str) -> None:
    assert post_undeclared("/api/measure", BytesIO(b"x" * 7), length=length) == (200, 7)
    assert post_undeclared("/api/measure", BytesIO(b"x" * 1025), length=length) == (413, "payload_too_large")


def test_an_undeclared_body_reaches_the_view_as_json() -> None:
    response = send_undeclared("/api/echo", Drip(b'{"time": "2:30 pm"}'))

    assert json.loads(response.content) == {"time": "2:30 PM"}


@pytest.mark.parametrize("path", ["/api/measure", "/page/measure"])
def test_what_was_not_waited_for_is_refused_at_every_path(path: str, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024
    late_one: dict[str, Any] = {BODY_STATE: "late"}
    large_one: dict[str, Any] = {BODY_STATE: "large", "CONTENT_LENGTH": "1025"}

    late, large = (Client().generic("POST", path, **environ) for environ in (late_one, large_one))

    assert [(answer.status_code, answer.json()["code"]) for answer in (late, large)] == [
        (408, "body_too_slow"),
        (413, "payload_too_large"),
    ]
    assert large.json()["error"] == "This request is too large: at most 1 KiB are taken."
