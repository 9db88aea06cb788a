"""Errors to Sentry, if the practice has one: what broke and where, and nothing about anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sentry_sdk

from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.observability.scrubbing import scrub
from mindfulqalb.observability.traces import current_traces

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# What an event may hold. Whatever the SDK learns to add in a later version stays out until somebody has looked at it.
KEPT = {
    *("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "transaction", "sdk"),
    *("exception", "message", "logentry", "tags", "fingerprint", "contexts", "type"),
}
KEPT_CONTEXTS = {"runtime", "trace"}


def start_sentry(*, dsn: str, environment: str, release: str) -> None:
    """Report errors from now on; without a DSN, nothing is sent anywhere."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release or None,
        include_local_variables=False,  # they hold names and emails
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0,
        before_send=without_persons,
    )


def without_persons(event: Event, hint: Hint) -> Event:
    """Keep of an event what says where the fault is; scrub every text; add the ids by which it is found elsewhere."""
    kept: dict[str, Any] = {name: value for name, value in event.items() if name in KEPT}
    contexts = kept.pop("contexts", {})
    kept = _scrubbed(kept)
    kept["contexts"] = {name: value for name, value in contexts.items() if name in KEPT_CONTEXTS}
    kept["tags"] = {**kept.get("tags", {}), "requestId": current_request_id(), **current_traces()}
    return cast("Event", kept)


def _scrubbed(value: Any) -> Any:
    match value:
        case str():
            return scrub(value)
        case dict():
            return {name: _scrubbed(inner) for name, inner in value.items() if name != "vars"}
        case list() | tuple():
            return [_scrubbed(inner) for inner in value]
    return value
