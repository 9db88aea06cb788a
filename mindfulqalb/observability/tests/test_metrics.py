"""Numbers are right over several processes, name no client, and are shown to those who may see them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.db import connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from mindfulqalb.observability import metrics
from mindfulqalb.observability.metrics import Gauge, gauges
from mindfulqalb.vendors.sessions import vendor_session
from mindfulqalb.vendors.tests.scripted_server import ScriptedServer

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-of-prometheus"


def read(client: Client, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    text = client.get("/metrics").content.decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def test_answers_are_counted_by_route_and_never_by_path(client: Client) -> None:
    before = read(client, "mindfulqalb_requests_total", route="manage/<str:token>", status="404")

    for secret in ("eyJhbGciOi.secret.one", "jane@example.com"):
        client.get(f"/manage/{secret}")
    text = client.get("/metrics").content.decode()

    after = read(client, "mindfulqalb_requests_total", route="manage/<str:token>", status="404")
    assert (after - before, "secret" in text, "jane" in text) == (2, False, False)


def labels_of_requests(client: Client) -> set[tuple[str, str]]:
    text = client.get("/metrics").content.decode()
    (family,) = [family for family in text_string_to_metric_families(text) if family.name == "mindfulqalb_requests"]
    return {(sample.labels["route"], sample.labels["method"]) for sample in family.samples}


def test_labels_stay_few_whatever_is_asked_for(client: Client) -> None:
    client.get("/metrics")
    before = labels_of_requests(client)

    for number in range(20):
        client.generic("GET" if number % 2 else f"METHOD{number}", f"/nothing/{number}")

    assert labels_of_requests(client) - before <= {("(no route)", "GET"), ("(no route)", "(other)")}


def test_counters_of_other_processes_are_added(client: Client) -> None:
    before = read(client, "mindfulqalb_outbox_deliveries_total", topic="test.other", outcome="delivered")
    program = """
import django; django.setup()
from mindfulqalb.observability.metrics import DELIVERIES
DELIVERIES.labels("test.other", "delivered").inc(3)
"""

    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "mindfulqalb.settings"},
        check=True,
    )

    assert read(client, "mindfulqalb_outbox_deliveries_total", topic="test.other", outcome="delivered") - before == 3


def test_every_gauge_can_be_read(client: Client) -> None:
    text = client.get("/metrics").content.decode()

    found = {family.name for family in text_string_to_metric_families(text)}
    assert {one.name for one in gauges.values()} - found == set()
    assert read(client, "mindfulqalb_unreadable_gauges") == 0


def test_gauge_that_fails_is_counted_and_hides_no_other(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(now: datetime) -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing")
        return 1.0

    broken = Gauge("mindfulqalb_broken", "Broken.", fails)
    monkeypatch.setattr(metrics, "gauges", {"broken": broken, **gauges})

    text = client.get("/metrics").content.decode()

    assert ("mindfulqalb_broken" in text, "mindfulqalb_outbox_overdue_seconds" in text) == (False, True)
    assert read(client, "mindfulqalb_unreadable_gauges") == 1


def test_gauge_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "READING_MILLISECONDS", 20)

    def sleeps(now: datetime) -> float:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")
        return 1.0

    monkeypatch.setattr(metrics, "gauges", {"slow": Gauge("mindfulqalb_slow", "Slow.", sleeps)})
    (family,) = list(metrics.StateCollector().collect())

    assert (family.name, family.samples[0].value) == ("mindfulqalb_unreadable_gauges", 1)


@pytest.mark.parametrize(
    ("development", "token", "header", "status"),
    [
        (False, "", "", 404),
        (False, "", "Bearer ", 404),
        (False, TOKEN, "", 404),
        (False, TOKEN, "Bearer wrong", 404),
        (False, TOKEN, f"Basic {TOKEN}", 404),
        (False, TOKEN, "Bearer \xe9", 404),
        (False, TOKEN, f"Bearer {TOKEN}", 200),
        (True, "", "", 200),
        (True, TOKEN, "", 404),
    ],
)
def test_page_is_for_those_with_the_token(
    development: bool, token: str, header: str, status: int, client: Client, settings: Settings
) -> None:
    settings.DEVELOPMENT, settings.METRICS_TOKEN = development, token

    assert client.get("/metrics", headers={"Authorization": header}).status_code == status


def test_vendors_are_timed_by_outcome(client: Client) -> None:
    def count(outcome: str) -> float:
        return read(client, "mindfulqalb_vendor_seconds_count", vendor="127.0.0.1", outcome=outcome)

    before = [count("2xx"), count("ConnectionError")]
    with ScriptedServer() as server:
        vendor_session().post(server.url)
    with pytest.raises(requests.ConnectionError):
        vendor_session(get_retries=0).post(server.url)

    assert [count("2xx") - before[0], count("ConnectionError") - before[1]] == [1, 1]


def test_access_is_logged_without_path_and_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="mindfulqalb.access")

    client.get("/manage/secret-token?email=jane@example.com")
    client.get("/livez")

    lines: list[Any] = [record for record in caplog.records if record.name == "mindfulqalb.access"]
    assert [line.getMessage() for line in lines] == ["GET manage/<str:token> 404"]
    assert {name: value for name, value in lines[0].fields.items() if name != "ms"} == {
        "route": "manage/<str:token>",
        "method": "GET",
        "status": 404,
    }


def test_gauges_know_what_waits() -> None:
    now = timezone.now()

    empty = {name: one.read(now) for name, one in gauges.items()}

    agreed = dict.fromkeys(("CONFLICT", "IN_DOUBT", "MISSING", "UNKNOWN"), 0)
    zero = {
        name: value
        for name, value in empty.items()
        if value in (0, {"overdue": 0, "dead": 0}, {"failed": 0, "pending": 0}, agreed)
    }
    assert zero == empty
