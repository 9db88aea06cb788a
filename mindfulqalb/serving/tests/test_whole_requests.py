"""Requests get a thread when they are whole, and as the client sent them."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.serving.whole_requests import KEPT_BYTES, WholeRequests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pytest_django import Settings

    Headers = list[tuple[bytes, bytes]]

LAST: dict[str, Any] = {"type": "http.request", "body": b"", "more_body": False}
GONE: dict[str, Any] = {"type": "http.disconnect"}


class Recorder:
    """A WSGI application that keeps what it was called with, and answers `chunks`."""

    def __init__(self, chunks: Iterable[bytes] = (b"yes",)) -> None:
        self.environs: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.chunks = chunks

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.environs.append(environ)
        self.bodies.append(environ["wsgi.input"].read())
        start_response("201 Created", [("X-Twice", "1"), ("X-Twice", "2")])
        return self.chunks


def scope(path: bytes = b"/api/x", query: bytes = b"", headers: Headers | None = None) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "http_version": "1.1",
        "scheme": "http",
        "client": ("192.0.2.7", "4711"),
        "raw_path": path,
        "path": path.decode("ascii", "replace"),
        "query_string": query,
        "headers": headers or [],
        "server": ("127.0.0.1", "8000"),
    }


def said(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def serve(application: Any, messages: Iterable[dict[str, Any]] = (LAST,), **parts: Any) -> list[dict[str, Any]]:
    """Serve one request to its end; a client who has no more to say is waited for."""
    sent: list[dict[str, Any]] = []
    coming: Iterator[dict[str, Any]] = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in coming:
            return message
        return await asyncio.Event().wait() and {}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(WholeRequests(application, threads=1)(scope(**parts), receive, send))
    return sent


def test_request_reaches_the_application_as_it_was_sent() -> None:
    app = Recorder()
    headers = [
        (b"host", b"x.example:99"),
        (b"content-type", b"text/plain"),
        (b"x-forwarded-for", b"1"),
        (b"x-forwarded-for", b"2"),
        (b"x-odd", b"\xff"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
    ]

    serve(app, [said(b"ab", more=True), said(b"c")], path=b"/a%2Fb/%ff/%C3%A9", query=b"q=\xff%ff", headers=headers)

    (environ,) = app.environs
    assert app.bodies == [b"abc"]
    assert {name: value for name, value in environ.items() if not name.startswith(("wsgi.", "mindfulqalb."))} == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a/b/\xff/\xc3\xa9",
        "QUERY_STRING": "q=\xff%ff",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "CONTENT_LENGTH": "3",
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_HOST": "x.example:99",
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_ODD": "\xff",
        "HTTP_X_FORWARDED_FOR": "1,2",
        "HTTP_COOKIE": "a=1; b=2",
    }


def test_header_spelt_with_an_underscore_cannot_pass_for_another() -> None:
    app = Recorder()

    serve(app, headers=[(b"x-forwarded-for", b"192.0.2.1"), (b"x_forwarded_for", b"6.6.6.6"), (b"x_other", b"1")])

    assert [app.environs[0]["HTTP_X_FORWARDED_FOR"], "HTTP_X_OTHER" in app.environs[0]] == ["192.0.2.1", False]


def test_answer_is_sent_in_one_piece() -> None:
    assert serve(Recorder([b"a", b"", b"b"])) == [
        {"type": "http.response.start", "status": 201, "headers": [(b"x-twice", b"1"), (b"x-twice", b"2")]},
        {"type": "http.response.body", "body": b"ab", "more_body": False},
    ]


def test_large_answer_is_sent_while_it_is_made() -> None:
    made: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            made.append(number)
            yield bytes([number]) * (KEPT_BYTES // 2 + 1)

    start, first, last = serve(Recorder(chunks()))

    assert (start["status"], first["more_body"], last["more_body"]) == (201, True, False)
    assert [len(first["body"]), len(last["body"]), made] == [KEPT_BYTES + 2, KEPT_BYTES // 2 + 1, [0, 1, 2]]


@pytest.mark.parametrize("messages", [[GONE], [said(b"half", more=True), GONE], [said(b"half")]])
def test_who_left_before_the_end_is_not_served(messages: list[dict[str, Any]]) -> None:
    app = Recorder()

    assert (serve(app, messages, headers=[(b"content-length", b"8")]), app.environs) == ([], [])


def test_body_that_does_not_come_is_reported_as_late(settings: Settings) -> None:
    settings.BODY_SECONDS = 0.05
    app = Recorder()

    serve(app, [said(b"half", more=True)], headers=[(b"content-length", b"8")])

    (environ,) = app.environs
    assert (environ["mindfulqalb.body_state"], environ["CONTENT_LENGTH"], app.bodies) == ("late", "0", [b""])


@pytest.mark.parametrize("length", [b"1025", b"9" * 5000])
def test_body_announced_too_large_is_not_begun(length: bytes, settings: Settings) -> None:
    settings.API_BODY_LIMIT, app = 1024, Recorder()
    waiting = iter([said(b"x")])

    serve(app, waiting, headers=[(b"content-length", length)])

    assert (app.environs[0]["mindfulqalb.body_state"], next(waiting)["body"]) == ("large", b"x")
    assert app.environs[0]["CONTENT_LENGTH"] == str(int(length[:18]))


def test_body_of_unknown_length_is_taken_no_further_than_its_limit(settings: Settings) -> None:
    settings.API_BODY_LIMIT, app = 1024, Recorder()
    endless = (said(b"x" * 1000, more=True) for _ in iter(int, 1))

    serve(app, endless)

    assert [app.environs[0][name] for name in ("mindfulqalb.body_state", "CONTENT_LENGTH")] == ["large", "2000"]


def test_thread_is_free_while_its_answer_travels() -> None:
    """One thread, and a client who never reads: the next is served."""
    server, sent = WholeRequests(Recorder(), threads=1), threading.Event()

    async def receive() -> dict[str, Any]:
        return LAST

    async def stuck(message: dict[str, Any]) -> None:
        sent.set()
        await asyncio.Event().wait()

    async def send(message: dict[str, Any]) -> None:
        """Take it."""

    async def both() -> bool:
        slow = asyncio.create_task(server(scope(), receive, stuck))
        await asyncio.to_thread(sent.wait)
        await server(scope(), receive, send)
        return slow.cancel()

    assert asyncio.run(both()) is True


def test_server_may_begin_and_end() -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(WholeRequests(Recorder(), threads=1)({"type": "lifespan"}, receive, send))

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
