"""A real worker of Celery is told to end while its child is at something that never ends."""

from __future__ import annotations

import os
import subprocess
import sys
from uuid import uuid4

from mindfulqalb.celery import app


def test_worker_that_cannot_end_is_ended_with_its_children() -> None:
    queue = f"hanging-{uuid4().hex}"
    celery = [sys.executable, "-m", "celery", "-A", "mindfulqalb.operations.tests.hanging_worker"]
    worker = subprocess.Popen(
        [*celery, "worker", "--concurrency", "1", "--queues", queue, "--loglevel", "info"],
        env=os.environ | {"WORKER_STOP_SECONDS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert worker.stdout is not None
    app.send_task("tests.hang", queue=queue)
    lines = iter(worker.stdout.readline, "")
    assert any(line.endswith("hangs\n") for line in lines)

    worker.terminate()
    # Whoever still lives holds this pipe open.
    log, _ = worker.communicate(timeout=60)

    assert (worker.returncode, "did not end within 1.0 s" in log) == (1, True)
