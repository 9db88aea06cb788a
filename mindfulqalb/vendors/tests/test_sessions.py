from __future__ import annotations

import socket
from threading import Timer
from typing import TYPE_CHECKING

import certifi
import pytest
import requests

from mindfulqalb.observability.request_ids import bound_request_id
from mindfulqalb.vendors.sessions import vendor_session
from mindfulqalb.vendors.tests.scripted_server import Script, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

HALF_DONE = [Script(502), Script(503), Script(200)]


@pytest.fixture
def silent_url(settings: Settings) -> Iterator[str]:
    """A server that takes a connection and never answers; after some seconds it is gone, lest a test hang."""
    settings.VENDOR_TIMEOUT = (0.2, 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        end = Timer(5, server.close)
        end.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        end.cancel()


def _methods(server: ScriptedServer) -> list[str]:
    return [asked.method for asked in server.asked]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_never_waits_for_ever(silent_url: str, method: str) -> None:
    with vendor_session() as session, pytest.raises(requests.ReadTimeout):
        session.request(method, silent_url)


def test_a_page_that_hangs_is_not_asked_for_again(silent_url: str) -> None:
    with vendor_session() as session, pytest.raises(requests.ReadTimeout):
        session.get(silent_url)


def test_an_sdk_that_says_no_timeout_gets_ours(silent_url: str) -> None:
    with vendor_session() as session, pytest.raises(requests.ReadTimeout):
        session.post(silent_url, timeout=None)


def test_a_call_may_bring_its_own_timeout(silent_url: str, settings: Settings) -> None:
    settings.VENDOR_TIMEOUT = (60, 60)

    with vendor_session() as session, pytest.raises(requests.ReadTimeout, match=r"read timeout=0\.1"):
        session.post(silent_url, timeout=0.1)


def test_a_get_is_tried_again_when_a_proxy_stumbles() -> None:
    with ScriptedServer(*HALF_DONE) as server, vendor_session() as session:
        assert session.get(server.url).status_code == 200
        assert _methods(server) == ["GET"] * 3


def test_a_get_is_tried_again_when_the_connection_breaks() -> None:
    with ScriptedServer(Script(None), Script(200)) as server, vendor_session() as session:
        assert session.get(server.url).status_code == 200
        assert _methods(server) == ["GET"] * 2


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_get_that_fails_for_good_gives_the_last_answer(status: int) -> None:
    with ScriptedServer(Script(status)) as server, vendor_session() as session:
        assert session.get(server.url).status_code == status
        assert len(server.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500])
def test_a_get_that_was_answered_is_not_tried_again(status: int) -> None:
    with ScriptedServer(Script(status)) as server, vendor_session() as session:
        assert session.get(server.url).status_code == status
        assert len(server.asked) == 1


@pytest.mark.parametrize("status", [413, 429])
def test_a_vendors_retry_after_is_not_slept_out(status: int) -> None:
    with ScriptedServer(Script(status, {"Retry-After": "1"})) as server, vendor_session() as session:
        assert session.get(server.url).status_code == status
        assert len(server.asked) == 1


def test_a_session_may_be_told_not_to_repeat() -> None:
    with ScriptedServer(*HALF_DONE) as server, vendor_session(get_retries=0) as session:
        assert session.get(server.url).status_code == 502
        assert len(server.asked) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("answer", [Script(502), Script(503, {"Retry-After": "0"}), Script(429, {"Retry-After": "0"})])
def test_a_change_is_never_repeated_after_an_answer(method: str, answer: Script) -> None:
    with ScriptedServer(answer) as server, vendor_session() as session:
        assert session.request(method, server.url, data=b"{}").status_code == answer.status
        assert _methods(server) == [method]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_is_never_repeated_after_a_lost_answer(method: str) -> None:
    with ScriptedServer(Script(None)) as server, vendor_session() as session:
        with pytest.raises(requests.ConnectionError):
            session.request(method, server.url, data=b"{}")
        assert _methods(server) == [method]


def test_the_request_id_is_passed_on() -> None:
    with ScriptedServer() as server, vendor_session() as session:
        with bound_request_id("request-1234"):
            session.get(server.url)
            session.post(server.url, headers={"X-Request-ID": "the-calls-own"})
        session.get(server.url)

        assert [asked.headers.get("X-Request-ID") for asked in server.asked] == ["request-1234", "the-calls-own", None]


def test_certificates_are_certifis() -> None:
    with vendor_session() as session:
        assert session.verify == certifi.where()


def test_the_surroundings_are_not_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A proxy, a bundle or a password that lies about on the machine must not get between us and a vendor."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))

    with ScriptedServer() as server, vendor_session() as session:
        assert session.get(server.url).status_code == 200
        assert [asked.headers.get("Authorization") for asked in server.asked] == [None]
        merged = session.merge_environment_settings("https://vendor.test", {}, None, None, None)
        assert merged["verify"] == certifi.where()


def test_both_schemes_are_bounded() -> None:
    with vendor_session() as session:
        adapters = {type(session.get_adapter(url)).__name__ for url in ("http://a.test", "https://a.test", "HTTPS://a")}

    assert adapters == {"BoundedAdapter"}
