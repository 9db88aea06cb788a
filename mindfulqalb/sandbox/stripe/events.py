"""Stripe's events: kept for `GET /v1/events` and sent as webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.store import store
from mindfulqalb.sandbox.stripe.envelope import API_VERSION, EVENT, STRIPE, list_of, missing, new_id, not_found, page
from mindfulqalb.sandbox.stripe.forms import is_text, read_params
from mindfulqalb.sandbox.stripe.session_params import LIST_SHAPE

if TYPE_CHECKING:
    from django.http import HttpRequest


def announce(kind: str, shown: dict[str, Any]) -> None:
    """Tell of one thing that happened to an object."""
    announce_all([(kind, shown)])


def announce_all(happened: list[tuple[str, dict[str, Any]]]) -> None:
    """Tell of several things that happened at once, in order."""
    webhooks.announce("stripe", [_event(kind, shown) for kind, shown in happened])


def _event(kind: str, shown: dict[str, Any]) -> webhooks.Event:
    event_id = new_id("evt")
    body = {
        "id": event_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": machine_now(),
        "data": {"object": dict(shown)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    store().put(EVENT, event_id, body)
    return webhooks.Event(kind, event_id, body)


@vendor_call(STRIPE, "events.list")
def list_events(request: HttpRequest) -> Answer:
    """`GET /v1/events`, newest first."""
    params = read_params(request, {**LIST_SHAPE, "type": is_text, "types": [is_text]})
    wanted = params.get("types") or ([params["type"]] if "type" in params else None)
    found = [event for event in store().all(EVENT) if wanted is None or event["type"] in wanted]
    events_page, has_more = page(params, found)
    return list_of("/v1/events", events_page, has_more=has_more)


@vendor_call(STRIPE, "events.retrieve")
def retrieve_event(request: HttpRequest, event_id: str) -> Answer:
    """`GET /v1/events/{id}`."""
    read_params(request, {})
    event = store().get(EVENT, event_id)
    if event is None:
        raise missing("event", event_id, "id")
    return Answer(200, event)


events = by_method(GET=list_events, otherwise=not_found)
one_event = by_method(GET=retrieve_event, otherwise=not_found)
