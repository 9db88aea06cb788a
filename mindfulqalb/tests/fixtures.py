"""Fixtures for the whole suite: the sandbox plays the vendors, over HTTP, for every test that asks for it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.test import APIClient

# The settings take the vendors' addresses from these when they are loaded, which is after this.
os.environ["SANDBOX_PORT"] = str(free_port())
os.environ["SANDBOX_SMTP_PORT"] = str(free_port())
os.environ.pop("SANDBOX_URL", None)


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """The one sandbox of the run, on the ports that the settings know."""
    process = SandboxProcess(Path(tmp_path_factory.mktemp("sandbox")) / "state.sqlite3")
    process.port = int(os.environ["SANDBOX_PORT"])
    process.smtp_port = int(os.environ["SANDBOX_SMTP_PORT"])
    with process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess, settings: Any) -> SandboxProcess:
    """The sandbox with empty books, no faults, and webhooks going nowhere; mails are really sent to it."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    sandbox_process.set_web("")
    sandbox_process.clear_faults()
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(autouse=True)
def _empty_redis() -> None:
    """Start every test with an empty Redis: no listing, no count, no task, and no remembered offer of another one."""
    from django.core.cache import cache  # noqa: PLC0415  (settings are not loaded when this module is)

    from mindfulqalb.catalogue.showing import found_lately  # noqa: PLC0415

    cache.clear()
    found_lately.cache_clear()


@pytest.fixture(autouse=True)
def _quick_hashes(settings: Any) -> None:
    """Passwords are hashed a million times in earnest; hundreds of logins here need that once at most."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def now() -> datetime:
    """The present, read once."""
    return datetime.now(UTC)


@pytest.fixture
def api() -> APIClient:
    """A browser's view of the API."""
    from rest_framework.test import APIClient  # noqa: PLC0415

    return APIClient()
