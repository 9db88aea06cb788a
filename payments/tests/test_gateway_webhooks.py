"""What both gateways promise about deliveries, tried on each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.http import HttpRequest

from mindfulqalb.webhooks.services import InvalidWebhook, WebhookEvent

if TYPE_CHECKING:
    from pytest_django import Settings

    from payments.tests.payers import Payer

KINDS = {"razorpay": "payment.captured", "stripe": "checkout.session.completed"}
HOSTILE_BODIES: list[Any] = [
    {},
    {"payload": None, "data": None},
    {"payload": [], "data": []},
    {"payload": {}, "data": {}},
    {"payload": {"payment": 1, "order": "x"}, "data": {"object": 1}},
    {"payload": {"payment": {"entity": 1}}, "data": {"object": [1]}},
    {"payload": {"payment": {"entity": {}}, "order": {"entity": {}}}, "data": {"object": {}}},
    {"payload": {"payment": {"entity": {"order_id": None}}}, "data": {"object": {"object": "payment_intent"}}},
    [],
    None,
    "text",
    5,
]


def _read(payer: Payer, body: bytes, headers: dict[str, str]) -> WebhookEvent:
    """Read a delivery with its headers as Django hands them over."""
    request = HttpRequest()
    request.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return payer.gateway().read_webhook(body, request.headers)


def _with_signature(payer: Payer, signature: str) -> dict[str, str]:
    return {**payer.sign(payer.body_about("order_1")), payer.signature_header: signature}


def test_a_genuine_delivery_is_read(payer: Payer) -> None:
    body = payer.body_about("order_1")

    assert _read(payer, body, payer.sign(body)) == WebhookEvent(payer.name, "evt_1", KINDS[payer.name], body.decode())


def test_text_beyond_ascii_is_kept(payer: Payer) -> None:
    body = payer.body_about("NAME").replace(b"NAME", "\u0906\u0936\u093e".encode())

    assert _read(payer, body, payer.sign(body)).body == body.decode()


def test_other_events_are_read_too(payer: Payer) -> None:
    body = payer.body_about_nothing()

    event = _read(payer, body, payer.sign(body))

    assert event.event_type == json.loads(body).get("event", json.loads(body).get("type"))
    assert payer.gateway().order_of_webhook(event.body) is None


@pytest.mark.parametrize("secret", ["another secret", "", "whsec_sandbox_calcom"])
def test_a_wrong_secret_is_refused(payer: Payer, secret: str) -> None:
    body = payer.body_about("order_1")

    with pytest.raises(InvalidWebhook):
        _read(payer, body, payer.sign(body, secret=secret))


def test_both_secrets_of_a_rotation_are_taken(payer: Payer, settings: Settings) -> None:
    setattr(settings, f"{payer.name.upper()}_WEBHOOK_SECRET_FALLBACKS", ["the secret before"])
    body = payer.body_about("order_1")

    read = [_read(payer, body, payer.sign(body, secret=secret)) for secret in (payer.secret, "the secret before")]

    assert [event.event_id for event in read] == ["evt_1", "evt_1"]


def test_an_empty_secret_in_the_settings_opens_no_door(payer: Payer, settings: Settings) -> None:
    setattr(settings, f"{payer.name.upper()}_WEBHOOK_SECRET", "")
    setattr(settings, f"{payer.name.upper()}_WEBHOOK_SECRET_FALLBACKS", [""])
    body = payer.body_about("order_1")

    with pytest.raises(InvalidWebhook):
        _read(payer, body, payer.sign(body, secret=""))


@pytest.mark.parametrize(
    "signature",
    [
        "",
        " ",
        "t=1,v1=",
        "t=,v1=00",
        "v1=00",
        "t=1",
        "t,v1",
        "=,=",
        "sha256=00",
        "\u00e9" * 64,
        "t=1,v1=\u00e9",
        "t=\u0661,v1=00",
        "t=" + "9" * 2000,
        "0" * 64,
        "0" * 5000,
    ],
)
def test_a_signature_that_is_none_is_refused(payer: Payer, signature: str) -> None:
    with pytest.raises(InvalidWebhook):
        _read(payer, payer.body_about("order_1"), _with_signature(payer, signature))


def test_a_delivery_without_headers_is_refused(payer: Payer) -> None:
    with pytest.raises(InvalidWebhook):
        _read(payer, payer.body_about("order_1"), {})


def test_an_over_long_header_is_refused_even_if_it_holds_the_right_signature(payer: Payer) -> None:
    body = payer.body_about("order_1")
    signature = payer.sign(body)[payer.signature_header]

    with pytest.raises(InvalidWebhook):
        _read(payer, body, _with_signature(payer, signature + ",v0=" + "0" * 2048))


@pytest.mark.parametrize(
    "change", [lambda body: body + b" ", lambda body: body.replace(b"_1", b"_2"), lambda body: b""]
)
def test_a_body_changed_on_the_way_is_refused(payer: Payer, change: Any) -> None:
    body = payer.body_about("order_1")

    with pytest.raises(InvalidWebhook):
        _read(payer, change(body), payer.sign(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b'{"event": ',
        b"[" * 200_000,
        b'{"id": "evt_1", "type": "x", "event": "\xff\xfe"}',
        b'\xef\xbb\xbf{"id": "evt_1", "type": "x", "event": "x"}',
    ],
)
def test_a_signed_body_that_cannot_be_read_is_refused(payer: Payer, body: bytes) -> None:
    with pytest.raises(InvalidWebhook):
        _read(payer, body, payer.sign(body))


@pytest.mark.parametrize("body", HOSTILE_BODIES)
def test_a_body_that_names_no_order_names_none(payer: Payer, body: Any) -> None:
    assert payer.gateway().order_of_webhook(json.dumps(body)) is None


@pytest.mark.parametrize("text", ["", "not json", "[" * 200_000])
def test_a_body_that_cannot_be_read_names_no_order(payer: Payer, text: str) -> None:
    assert payer.gateway().order_of_webhook(text) is None


def test_a_body_names_its_order(payer: Payer) -> None:
    assert payer.gateway().order_of_webhook(payer.body_about("order_1").decode()) == "order_1"
