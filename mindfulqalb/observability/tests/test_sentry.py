"""What leaves for Sentry says where the fault is, and nothing about anybody."""

from __future__ import annotations

import gzip
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import sentry_sdk
from django.test import Client, RequestFactory
from django.urls import path

from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.observability.sentry import start_sentry, without_persons
from mindfulqalb.observability.traces import bound_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse
    from pytest_django import Settings

EMAIL, PHONE, SECRET = "jane.doe@example.com", "+919876543210", "s3cr3t-in-a-local"
REPLAY = "https://app.logrocket.com/practice/site/s/6-0190/1"


def fails(request: HttpRequest, token: str) -> HttpResponse:
    local = SECRET
    raise RuntimeError(f"mail to {EMAIL} ({PHONE}) was refused, {len(local)}")


urlpatterns = [path("api/fails/<str:token>", fails)]


class Receiver(BaseHTTPRequestHandler):
    """Takes envelopes as Sentry does."""

    envelopes: list[bytes] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.envelopes.append(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def envelopes() -> Iterator[list[bytes]]:
    Receiver.envelopes = []
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        start_sentry(dsn=f"http://key@127.0.0.1:{server.server_port}/1", environment="production", release="1.2.3")
        yield Receiver.envelopes
        sentry_sdk.get_client().close(timeout=2)
        sentry_sdk.get_global_scope().set_client(None)
        server.shutdown()


def test_error_arrives_with_the_ids_and_without_the_person(envelopes: list[bytes], settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__
    client = Client(raise_request_exception=False)

    client.post(
        "/api/fails/secret-token?email=jane.doe@example.com",
        {"customer": {"email": EMAIL, "phone": PHONE}},
        content_type="application/json",
        headers={"X-LogRocket-URL": REPLAY, "X-Request-ID": "request-0001", "Cookie": "other=abc-session"},
    )
    sentry_sdk.flush(timeout=5)

    sent = b"".join(envelopes).decode()
    event = next(json.loads(line) for line in sent.splitlines() if '"exception"' in line)
    found = [text for text in (EMAIL, "jane", PHONE, "98765", SECRET, "secret-token", "abc-session") if text in sent]
    assert found == []
    assert (event["tags"]["requestId"], event["tags"]["replayUrl"]) == ("request-0001", REPLAY)
    assert event["exception"]["values"][0]["value"] == "mail to [email] ([digits]) was refused, 17"
    assert (event["environment"], event["release"]) == ("production", "1.2.3")


def test_whatever_the_sdk_adds_later_stays_out() -> None:
    event: Any = {
        "event_id": "1",
        "user": {"email": EMAIL},
        "request": {"data": EMAIL, "cookies": "x", "headers": {"Authorization": "Bearer x"}},
        "extra": {"sys.argv": [EMAIL]},
        "breadcrumbs": {"values": [{"message": EMAIL}]},
        "server_name": "host",
        "contexts": {"runtime": {"name": "CPython"}, "device": {"owner": "jane"}},
        "something_new": EMAIL,
        "exception": {
            "values": [{"value": EMAIL, "stacktrace": {"frames": [{"function": "f", "vars": {"a": SECRET}}]}}]
        },
    }

    with bound_request_id("request-1"), bound_request(RequestFactory().get("/")):
        kept: Any = without_persons(event, {})

    assert kept == {
        "event_id": "1",
        "contexts": {"runtime": {"name": "CPython"}},
        "tags": {"requestId": "request-1"},
        "exception": {"values": [{"value": "[email]", "stacktrace": {"frames": [{"function": "f"}]}}]},
    }


def test_nothing_is_sent_without_a_dsn() -> None:
    start_sentry(dsn="", environment="production", release="")

    assert sentry_sdk.get_client().is_active() is False
