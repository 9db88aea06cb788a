"""What is measured, and the page where Prometheus reads it.

Counters and histograms are kept per process in files that all processes of one machine share (METRICS_DIR). What the
database knows better, such as the age of the outbox, is read from there when somebody asks: apps register it with
`gauge` in a module named `metrics`.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from prometheus_client.core import Metric

logger = logging.getLogger(__name__)

# From a cached answer to a calendar that takes its time.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
READING_MILLISECONDS = 2_000
Reader = Callable[[datetime], float | Mapping[str, float]]

REQUESTS = Counter("mindfulqalb_requests", "Answers by route, method and status.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "mindfulqalb_request_seconds", "How long an answer took.", ["route", "method"], buckets=SECONDS
)
VENDOR_SECONDS = Histogram(
    "mindfulqalb_vendor_seconds", "How long a vendor took, by host and outcome.", ["vendor", "outcome"], buckets=SECONDS
)
DELIVERIES = Counter("mindfulqalb_outbox_deliveries", "Attempts at outbox messages.", ["topic", "outcome"])
REFUSED_REQUESTS = Counter("mindfulqalb_rate_limited", "Requests refused for coming too often.", ["scope"])
COUNTING_OUTAGES = Counter("mindfulqalb_rate_limit_outages", "How often nobody could count because Redis was away.", [])


@dataclass(frozen=True)
class Gauge:
    """A number that is looked up when it is asked for; with a label, one number per value of it."""

    name: str
    description: str
    read: Reader
    label: str = ""


gauges: dict[str, Gauge] = {}


def gauge(name: str, description: str, *, label: str = "") -> Callable[[Reader], Reader]:
    """Register a function of `now` as the gauge `mindfulqalb_<name>`: it reads one number, or one per label value."""

    def register(read: Reader) -> Reader:
        gauges[name] = Gauge(f"mindfulqalb_{name}", description, read, label)
        return read

    return register


@contextmanager
def timed(histogram: Histogram, *labels: str) -> Iterator[Callable[[str], None]]:
    """Time a block under `labels` and its outcome: what it notes, or the name of the exception that ends it."""
    began, outcomes = time.monotonic(), ["unknown"]
    try:
        yield outcomes.append
    except Exception as error:
        outcomes.append(type(error).__name__)
        raise
    finally:
        histogram.labels(*labels, outcomes[-1]).observe(time.monotonic() - began)


class StateCollector:
    """Reads every gauge, within one short transaction each: one that cannot be read must not hide the others."""

    def collect(self) -> Iterator[Metric]:
        """Yield those that could be read, and how many could not."""
        now = timezone.now()
        unreadable = 0
        for one in gauges.values():
            try:
                yield _family(one, now)
            except Exception as error:  # noqa: BLE001  whatever it is, the others are still worth reading
                unreadable += 1
                logger.warning("gauge %s cannot be read: %s", one.name, type(error).__name__)
        yield GaugeMetricFamily("mindfulqalb_unreadable_gauges", "Gauges that could not be read.", value=unreadable)


@require_safe
@never_cache
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Show all that is measured, to whoever brings METRICS_TOKEN; without a token in the settings, to nobody."""
    if not _may_read(request):
        return HttpResponseNotFound()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
    registry.register(StateCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if not token:
        return bool(settings.DEVELOPMENT)
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())


def _family(one: Gauge, now: datetime) -> GaugeMetricFamily:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [READING_MILLISECONDS])
        value = one.read(now)
    if not isinstance(value, Mapping):
        return GaugeMetricFamily(one.name, one.description, value=value)
    family = GaugeMetricFamily(one.name, one.description, labels=[one.label])
    for label, number in value.items():
        family.add_metric([label], number)
    return family
