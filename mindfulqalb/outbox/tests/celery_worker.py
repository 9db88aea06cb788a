"""The Celery application of a worker process that knows the tests' topic."""

from __future__ import annotations

import django

django.setup()

from mindfulqalb.celery import app  # noqa: E402 - handlers and tasks need the apps
from mindfulqalb.outbox.registry import handles  # noqa: E402
from mindfulqalb.outbox.tests.test_workers import append_attempt  # noqa: E402

__all__ = ["app"]

handles("test.work")(append_attempt)
