"""Measure how fast webhooks are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.development.delivering import Deliveries, deliver
from mindfulqalb.development.management.commands.measure_availability import LOOPBACK

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

MOST_DELIVERIES, MOST_CONNECTIONS = 20_000, 200


class Command(BaseCommand):
    """`manage.py measure_webhooks`, beside a `make run` with RATE_LIMITS='{"webhook": "100000/m"}'."""

    help = "Deliver signed webhooks of Razorpay's to a server on this machine, and print how long each answer took."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the load."""
        option = parser.add_argument
        option("--url", default=settings.SITE_URL, help="Server to measure; on this machine only.")
        option("--secret", default=settings.RAZORPAY_WEBHOOK_SECRET, help="Its secret for Razorpay's webhooks.")
        option("--rate", type=float, default=200.0, help="Deliveries a second.")
        option("--seconds", type=float, default=5.0, help=f"For how long; at most {MOST_DELIVERIES} in all.")
        option("--connections", type=int, default=50, help=f"Over how many, at most {MOST_CONNECTIONS}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver and print."""
        if urlsplit(options["url"]).hostname not in LOOPBACK:
            raise CommandError("Only servers on this machine are measured.")
        names = ("url", "secret", "rate", "seconds", "connections")
        deliveries = Deliveries(**{name: options[name] for name in names})
        if not (0 < deliveries.count <= MOST_DELIVERIES and 0 < deliveries.connections <= MOST_CONNECTIONS):
            raise CommandError(f"From 1 to {MOST_DELIVERIES} deliveries over {MOST_CONNECTIONS} connections at most.")
        delivered = deliver(deliveries)
        self.stdout.write(
            f"{deliveries.count} deliveries at {deliveries.rate:g} a second: {dict(delivered.answers)}\n"
            f"p50 {delivered.at(50) * 1000:.0f} ms, p95 {delivered.at(95) * 1000:.0f} ms, "
            f"p99 {delivered.at(99) * 1000:.0f} ms, the slowest {delivered.at(100) * 1000:.0f} ms"
        )
