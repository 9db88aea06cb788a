"""The Celery application of a worker with a task that never ends."""

from __future__ import annotations

import os
import sys
import time

import django

django.setup()

from mindfulqalb.celery import app  # noqa: E402 - tasks need the apps

__all__ = ["app"]


@app.task(name="tests.hang")
def hang() -> None:
    """Say that it begins, and go on until killed."""
    sys.__stdout__.write(f"child {os.getpid()} hangs\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]
    time.sleep(600)
