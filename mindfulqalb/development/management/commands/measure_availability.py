"""Measure how fast times are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.development.measuring import Load, measure

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from mindfulqalb.development.measuring import Measured

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_REQUESTS, MOST_CLIENTS = 20_000, 200


class Command(BaseCommand):
    """`manage.py measure_availability`, beside a `make run` with RATE_LIMITS='{"availability": "100000/m"}'."""

    help = "Ask a server on this machine for availability as many clients do; the sandbox's Cal.com answers late."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the load."""
        option = parser.add_argument
        option("--url", default=settings.SITE_URL, help="Server to measure; on this machine only.")
        option("--sandbox-url", default=settings.SANDBOX_URL, help="The sandbox that it uses.")
        option("--session-types", default="individual-video,couples-video,free", help="Divided by commas.")
        option("--requests", type=int, default=1000, help=f"How many, at most {MOST_REQUESTS}.")
        option("--clients", type=int, default=50, help=f"By how many at once, at most {MOST_CLIENTS}.")
        option("--days", type=int, default=30, help="Over how many days ahead.")
        option("--rate", type=float, default=50.0, help="Requests a second of all together.")
        option("--latency", type=float, default=0.3, help="Seconds that Cal.com takes longer.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        if not {urlsplit(options[name]).hostname for name in ("url", "sandbox_url")} <= LOOPBACK:
            raise CommandError("Only servers on this machine are measured.")
        if not (0 < options["requests"] <= MOST_REQUESTS and 0 < options["clients"] <= MOST_CLIENTS):
            raise CommandError(f"At most {MOST_REQUESTS} requests by {MOST_CLIENTS} clients.")
        if min(options["rate"], options["days"]) <= 0:
            raise CommandError("Rate and days must be above zero.")
        names = ("url", "sandbox_url", "requests", "clients", "days", "rate", "latency")
        types = tuple(options["session_types"].split(","))
        load = Load(session_types=types, **{name: options[name] for name in names})
        self._tell(measure(load), load)

    def _tell(self, measured: Measured, load: Load) -> None:
        share = measured.warm_at(95) / load.latency if load.latency else 0
        self.stdout.write(
            f"answers         {dict(measured.answers)}\n"
            f"upstream calls  {dict(measured.upstream)} (by event type)\n"
            f"first look      {max(measured.first) * 1000:.0f} ms at most\n"
            f"warm            p50 {measured.warm_at(50) * 1000:.1f} ms, p95 {measured.warm_at(95) * 1000:.1f} ms, "
            f"p99 {measured.warm_at(99) * 1000:.1f} ms\n"
            f"p95             {share:.1%} of the upstream latency"
        )
