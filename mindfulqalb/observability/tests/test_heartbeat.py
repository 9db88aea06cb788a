"""The dead man's switch is told, and its own trouble is no trouble of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.observability.tasks import heartbeat_task
from mindfulqalb.vendors.tests.scripted_server import ScriptedServer

if TYPE_CHECKING:
    import pytest
    from pytest_django import Settings


def test_heartbeat_asks_its_address(settings: Settings) -> None:
    with ScriptedServer() as server:
        settings.HEARTBEAT_URL = server.url
        heartbeat_task()

    assert [asked.method for asked in server.asked] == ["GET"]


def test_heartbeat_without_an_address_asks_nobody(settings: Settings) -> None:
    settings.HEARTBEAT_URL = ""

    heartbeat_task()


def test_heartbeat_that_is_not_taken_is_logged(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.HEARTBEAT_URL = "http://127.0.0.1:9/ping"

    heartbeat_task()

    said = [record.getMessage() for record in caplog.records if record.name.startswith("mindfulqalb")]
    assert said == ["heartbeat was not taken: ConnectionError"]
