"""Functions in somebody's cloud: events in the shape that AWS and Vercel document, answered by the whole server."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from base64 import b64decode, b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from bookings.tests.builders import make_catalogue
from mindfulqalb import wsgi
from mindfulqalb.aws_lambda import handler
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

pytestmark = pytest.mark.usefixtures("transactional_db")  # each answer ends its connection

WEBHOOK = "/api/webhooks/calcom"
# Every byte counts: other spaces, or another spelling of the same letter, would break the signature.
SIGNED = '{"triggerEvent" :  "BOOKING_CREATED", "payload": {"uid": "u1", "attendees": [{"name": "\u00eb \\u00eb"}]}}\n'
CONSENT = {
    "sessionType": "individual",
    "email": "jane@example.com",
    "consentVersion": "2024-01-15",
    "acknowledgments": ["item1", "item2", "item3"],
}


def aws(
    method: str, path: str, body: str = "", *, encoded: bool = False, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Make an event of an HTTP API, payload format 2.0."""
    sent = {"host": "127.0.0.1", "content-type": "application/json", "x-forwarded-for": "203.0.113.7"} | (headers or {})
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": sent,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "r3pmxmplak",
            "stage": "$default",
            "requestId": "JKJaXmPLvHcESHA=",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Mozilla/5.0",
            },
        },
        "body": b64encode(body.encode()).decode() if encoded else body,
        "isBase64Encoded": encoded,
    }


def signature(body: str) -> str:
    return hmac.new(b"whsec_sandbox_calcom", body.encode(), hashlib.sha256).hexdigest()


def test_lambda_answers_a_get() -> None:
    answer = handler(aws("GET", "/livez"), None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)


def test_lambda_takes_a_body() -> None:
    make_catalogue()

    answer = handler(aws("POST", "/api/consent", json.dumps(CONSENT), encoded=True), None)

    assert (answer["statusCode"], json.loads(answer["body"])["success"]) == (201, True)


def test_lambda_answers_with_bytes() -> None:
    answer = handler(aws("GET", "/static/drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png"), None)

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert b64decode(answer["body"]).startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("encoded", [True, False])
def test_lambda_hands_on_a_webhook_byte_by_byte(encoded: bool) -> None:
    event = aws("POST", WEBHOOK, SIGNED, encoded=encoded, headers={"x-cal-signature-256": signature(SIGNED)})

    answer = handler(event, None)

    assert (answer["statusCode"], WebhookDelivery.objects.get().body) == (200, SIGNED)


def test_lambda_believes_no_header_with_an_underscore() -> None:
    event = aws("POST", WEBHOOK, SIGNED, headers={"x-cal-signature-256": "0" * 64})
    event["headers"]["x_cal_signature_256"] = signature(SIGNED)

    answer = handler(event, None)

    assert (answer["statusCode"], WebhookDelivery.objects.count()) == (400, 0)


def vercel(method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
    """Make what Vercel's Python runtime makes of a request: https://vercel.com/docs/functions/runtimes/python."""
    sent = {"Host": "127.0.0.1", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"} | headers
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "203.0.113.7",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.version": (1, 0),
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.run_once": False,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent.items()},
    }


def answered(environ: dict[str, Any]) -> tuple[int, bytes]:
    statuses: list[int] = []

    def start(status: str, headers: list[tuple[str, str]], _exc_info: object = None, /) -> Callable[[bytes], object]:
        statuses.append(int(status[:3]))
        return bytes

    body = wsgi.app(environ, start)
    return statuses[0], b"".join(body)


def test_vercel_finds_an_application_and_no_handler() -> None:
    assert (callable(wsgi.app), hasattr(wsgi, "handler"), hasattr(wsgi, "Handler")) == (True, False, False)


def test_vercel_is_answered(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    make_catalogue()

    get, post = (
        answered(vercel("GET", "/livez")),
        answered(vercel("POST", "/api/consent", json.dumps(CONSENT).encode())),
    )

    assert (get[0], post[0], json.loads(post[1])["success"]) == (200, 201, True)


def test_vercel_hands_on_a_webhook_byte_by_byte() -> None:
    environ = vercel("POST", WEBHOOK, SIGNED.encode(), **{"X-Cal-Signature-256": signature(SIGNED)})

    assert (answered(environ)[0], WebhookDelivery.objects.get().body) == (200, SIGNED)
