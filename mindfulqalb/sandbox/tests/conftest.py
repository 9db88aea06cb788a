"""One sandbox and one receiver of webhooks for all these tests; each test finds the sandbox empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
from mindfulqalb.sandbox.tests.webhook_receiver import WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def receiver_process() -> Iterator[WebhookReceiver]:
    """Receive webhooks for the whole run."""
    with WebhookReceiver() as running:
        yield running


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Run one sandbox for the whole run."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "state.sqlite3") as running:
        yield running


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """Return the sandbox, empty, sending no webhooks."""
    sandbox_process.set_web("")
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def receiver(sandbox: SandboxProcess, receiver_process: WebhookReceiver) -> WebhookReceiver:
    """Let the sandbox send its webhooks to a receiver, and return it, empty."""
    sandbox.set_web(receiver_process.url)
    sandbox.turn(webhookDelaySeconds=0.05)
    receiver_process.clear()
    return receiver_process
