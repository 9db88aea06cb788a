"""Filters speak in words, and keep what they are asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.retention.holds import place_hold, release_hold
from mindfulqalb.staff.tests.builders import log_in
from mindfulqalb.webhooks.services import store_webhook
from mindfulqalb.webhooks.tests.builders import make_event

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def _filters(client: Client, address: str) -> dict[str, list[tuple[str, str]]]:
    shown = client.get(address).context["cl"]
    return {
        str(spec.title): [(str(choice["display"]), choice["query_string"]) for choice in spec.choices(shown)]
        for spec in shown.filter_specs
    }


def test_values_are_called_by_words_and_chosen_by_their_codes(client: Client) -> None:
    log_in(client)
    for number, vendor in enumerate(("calcom", "razorpay")):
        store_webhook(event=make_event(event_id=f"evt_{number}", vendor=vendor), now=NOW)

    found = _filters(client, "/admin/webhooks/webhookdelivery/")

    assert found["vendor"] == [("All", "?"), ("Cal.com", "?vendor=calcom"), ("Razorpay", "?vendor=razorpay")]


def test_empty_columns_are_called_by_what_they_mean(client: Client) -> None:
    member = log_in(client)
    actor = f"staff:{member.pk}"
    for email in ("jane@example.com", "john@example.com"):
        hold = place_hold(email=email, reason="A claim", actor=actor, now=NOW)
    release_hold(hold_id=hold.id, reason="Settled", actor=actor, now=NOW)

    found = _filters(client, "/admin/retention/legalhold/")["state"]

    assert found == [("All", "?"), ("In force", "?released_at__isempty=1"), ("Released", "?released_at__isempty=0")]
    listed = client.get(f"/admin/retention/legalhold/{found[1][1]}").context["cl"].result_list
    assert [row.target for row in listed] == [""]
