"""Is it well? `/livez`: the process answers. `/readyz`: what it needs answers too. `/api/health`: just one word."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rest_framework.request import Request

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
# The sweep comes every few seconds: a message that has been due this long has nobody to deliver it.
OVERDUE = timedelta(minutes=5)

# A probe of something that hangs outlives its answer in one of these threads; with all of them taken, the next ones
# wait in vain, and report just that.
PROBE_THREADS = 4
_threads = ThreadPoolExecutor(max_workers=PROBE_THREADS, thread_name_prefix="probe")


class Broken(Exception):
    """What a probe found, in words fit for everybody's eyes."""


@dataclass(frozen=True)
class Check:
    """One thing to look at: `probe` returns when all is well and raises when not."""

    name: str
    probe: Callable[[], None]
    affects: str

    def failure(self) -> dict[str, str] | None:
        """Look, for PROBE_SECONDS at most; say what is broken and to whom it matters, or None."""
        future = _threads.submit(self.probe)
        try:
            future.result(timeout=PROBE_SECONDS)
        except Broken as exc:
            return {"name": self.name, "detail": str(exc), "affects": self.affects}
        except Exception:
            future.cancel()
            logger.warning("The probe of %s failed", self.name, exc_info=True)
            detail = f"There was no answer within {PROBE_SECONDS:g} s, or a wrong one."
            return {"name": self.name, "detail": detail, "affects": self.affects}
        return None


@require_safe
@never_cache
def livez(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process does; for whoever restarts it."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether requests can be served, for whoever routes them: 503 `unavailable`, else 200 `ok` or `degraded`.

    Degraded means that something is broken which another server would not do better.
    """
    fatal = _failures(Check("database", _ask_database, "Nobody can book, pay or sign in."))
    if not fatal:
        pending = partial(_ask_migrations, expected=_leaf_migrations())
        fatal = _failures(Check("migrations", pending, "Any page may fail: the database is older than this server."))
    late = partial(_ask_outbox, now=timezone.now())
    outbox = Check("outbox", late, "Clients wait for confirmations, emails and refunds. Is a worker running?")
    cache_and_broker = Check("redis", _ask_redis, "Staff cannot sign in, rate limits are off, and emails are late.")
    failures = fatal + _failures(cache_and_broker)
    for check in [] if fatal else [outbox, *(import_string(path) for path in settings.HEALTH_CHECKS)]:
        failures += _failures(check)
    status = "unavailable" if fatal else "degraded" if failures else "ok"
    return JsonResponse({"status": status, "failures": failures}, status=503 if fatal else 200)


class HealthView(APIView):
    """Answer with one word, as old monitors want it."""

    @extend_schema(responses=inline_serializer("Health", {"status": serializers.CharField()}))
    def get(self, request: Request) -> Response:
        """Say ok."""
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


def overdue_for(*, now: datetime) -> timedelta:
    """Say for how long the outbox's most overdue message has been due; zero when none is."""
    due = (
        OutboxMessage.objects.filter(state=State.PENDING, due_at__lte=now)
        .order_by("due_at")
        .values_list("due_at", flat=True)
    )
    oldest = due.first()
    return now - oldest if oldest else timedelta()


def _failures(check: Check) -> list[dict[str, str]]:
    failure = check.failure()
    return [failure] if failure else []


def in_own_connection(ask: Callable[[], None]) -> None:
    """Ask the database, for PROBE_SECONDS at most."""
    # This runs in a thread of its own, whose connection nobody else would close.
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [int(PROBE_SECONDS * 1000)])
            ask()
    finally:
        connection.close()


def _ask_database() -> None:
    in_own_connection(lambda: None)


def _ask_migrations(*, expected: frozenset[tuple[str, str]]) -> None:
    def ask() -> None:
        if missing := expected - MigrationRecorder(connection).applied_migrations().keys():
            raise Broken(f"{len(missing)} apps have migrations that were not applied.")

    in_own_connection(ask)


def _ask_outbox(*, now: datetime) -> None:
    def ask() -> None:
        if (overdue := overdue_for(now=now)) > OVERDUE:
            raise Broken(f"The oldest message has been due for {overdue.total_seconds():.0f} s.")

    in_own_connection(ask)


def _ask_redis() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PROBE_SECONDS, socket_connect_timeout=PROBE_SECONDS
    ) as client:
        client.ping()


@cache
def _leaf_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())
