from __future__ import annotations

import ipaddress
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Self

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mindfulqalb.vendors.sessions import vendor_session

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

QUICK = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
IN_THE_STATUS = b"HTTP/1.1 200 O"
IN_A_HEADER = b"HTTP/1.1 200 OK\r\nX-Slow: "
IN_THE_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"
WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
# The head of the longest record that TLS knows, of which the rest would take minutes.
IN_THE_HANDSHAKE = b"\x16\x03\x03\x40\x00"


class Trickle:
    """A server that sends what it was given, one part for each request, and then byte after byte, for ever."""

    def __init__(self, *parts: bytes, tls: ssl.SSLContext | None = None, pause: float = 0.02) -> None:
        self.asked = 0
        self._parts, self._tls, self._pause = parts, tls, pause
        self._server = socket.create_server(("127.0.0.1", 0))
        self._ended = Event()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.getsockname()[1]}/"
        Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                Thread(target=self._trickle, args=(client,), daemon=True).start()

    def _trickle(self, plain: socket.socket) -> None:
        with suppress(OSError), self._tls.wrap_socket(plain, server_side=True) if self._tls else plain as client:
            for part in self._parts:
                client.recv(65536)
                self.asked += 1
                client.sendall(part)
            while not self._ended.wait(self._pause):
                client.sendall(b"x")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1, with its key, that whoever trusts it may believe for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    unlocked = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(pem) + unlocked)
    return path


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("beginning", [IN_THE_STATUS, IN_A_HEADER, IN_THE_BODY, WITHOUT_LENGTH])
def test_an_answer_that_trickles_in_is_cut_off_and_not_asked_for_again(
    method: str, beginning: bytes, settings: Settings
) -> None:
    settings.VENDOR_TIMEOUT = (0.2, 0.2)

    with Trickle(beginning) as server, vendor_session() as session:
        with pytest.raises(requests.ReadTimeout, match=r"no whole answer in 0\.6 s"):
            session.request(method, server.url)
        assert server.asked == 1


@pytest.mark.parametrize("beginning", [IN_A_HEADER, IN_THE_BODY, WITHOUT_LENGTH])
def test_an_answer_that_trickles_in_under_tls_is_cut_off(
    beginning: bytes, certificate: Path, settings: Settings
) -> None:
    settings.VENDOR_TIMEOUT = (0.5, 0.5)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)

    with Trickle(beginning, tls=tls) as server, vendor_session() as session:
        session.verify = str(certificate)
        with pytest.raises(requests.ReadTimeout, match=r"no whole answer in 1\.5 s"):
            session.get(server.url)
        assert server.asked == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("said", "pause"), [([], 3600), ([IN_THE_HANDSHAKE], 3600), ([IN_THE_HANDSHAKE], 1), ([IN_THE_HANDSHAKE], 0.02)]
)
def test_a_handshake_that_trickles_in_or_never_begins_is_cut_off(
    said: list[bytes], pause: float, method: str, settings: Settings
) -> None:
    """The connection is taken, and then comes nothing, or a byte each second, or one just before each read ends."""
    settings.VENDOR_TIMEOUT = (0.3, 60)

    with Trickle(*said, pause=pause) as server, vendor_session() as session:
        with pytest.raises(requests.ReadTimeout):
            session.request(method, server.url.replace("http:", "https:"))
        assert server.asked == len(said)


def test_a_connection_is_not_cut_by_the_deadline_of_its_earlier_call(settings: Settings) -> None:
    with Trickle(QUICK, IN_THE_BODY + b"y" * 850) as server, vendor_session() as session:
        assert session.get(server.url, timeout=0.1).content == b"a"

        # On the same connection, and longer than the first call might have taken.
        assert len(session.get(server.url, timeout=60).content) == 900
        assert server.asked == 2
