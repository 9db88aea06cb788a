"""What `manage.py dev` checks and does before it starts anything that stays."""

from __future__ import annotations

import io
import re
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.ports import HOST, free_port
from mindfulqalb.development.preparation import (
    WantedPort,
    read_environment,
    require_free_ports,
    run_step,
    step,
    wait_for_answers,
    write_environment,
)
from mindfulqalb.development.programs import Program
from mindfulqalb.development.supervisor import Console

if TYPE_CHECKING:
    from pathlib import Path

WEB = "the web server", "WEB_PORT"
SANDBOX = "the sandbox", "SANDBOX_PORT"


def run_python(code: str) -> tuple[str, str]:
    """Run a step of one line; return its output and what the console showed, with N for the seconds."""
    stream = io.StringIO()
    program = Program(name="step", command=[sys.executable, "-c", code])
    try:
        output = run_step("Tables", program, Console(stream, ["web"], color=False))
    except DevelopmentError as error:
        output = str(error)
    return output, re.sub(r"\d+\.\d", "N", stream.getvalue())


def test_taken_port_is_refused_with_its_variable() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(DevelopmentError) as refusal:
            require_free_ports([WantedPort(free_port(), *SANDBOX), WantedPort(port, *WEB)], patience=0.2)
    assert str(refusal.value) == (
        f"Port {port} is taken, and the web server wants it: end what uses it, or set WEB_PORT to another one."
    )


def test_port_wanted_twice_is_refused_with_both_variables() -> None:
    port = free_port()
    with pytest.raises(DevelopmentError) as refusal:
        require_free_ports([WantedPort(port, *WEB), WantedPort(port, *SANDBOX)])
    assert str(refusal.value) == (
        f"Port {port} is wanted twice, by the web server and the sandbox: set WEB_PORT or SANDBOX_PORT to another one."
    )


def test_port_that_becomes_free_is_accepted() -> None:
    server = socket.create_server((HOST, 0))
    threading.Timer(0.3, server.close).start()
    require_free_ports([WantedPort(server.getsockname()[1], *WEB)], patience=20)
    assert server.fileno() == -1


def test_environment_is_written_for_ourselves_alone(tmp_path: Path) -> None:
    file = tmp_path / "development.env"
    file.write_text("OLD=1")
    file.chmod(0o644)
    write_environment(file, {"DATABASE_URL": "postgresql://m:p@127.0.0.1:1/m", "REDIS_URL": "redis://127.0.0.1:2/0"})
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() == (
        "# Written by `manage.py dev`, removed when it ends.\n"
        "DATABASE_URL=postgresql://m:p@127.0.0.1:1/m\n"
        "REDIS_URL=redis://127.0.0.1:2/0\n"
    )


def test_environment_is_read_as_written(tmp_path: Path) -> None:
    variables = {"DATABASE_URL": "postgresql://m:p@127.0.0.1:1/m?application_name=a", "REDIS_URL": "redis://x"}
    write_environment(tmp_path / "development.env", variables)
    assert read_environment(tmp_path / "development.env") == variables
    assert read_environment(tmp_path / "missing.env") == {}


def test_step_shows_one_line_and_returns_what_was_printed() -> None:
    assert run_python("print('two offers')") == ("two offers", "  Tables ... \u2713 N s\n")


def test_step_that_fails_shows_all_it_printed() -> None:
    code = "import sys; print('first'); print('then', file=sys.stderr); sys.exit(3)"
    output, shown = run_python(code)
    assert sorted(output.splitlines()) == sorted(["Tables failed with status 3:", "first", "then"])
    assert shown == "  Tables ... failed\n"


class Broken(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(500)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def test_interrupted_step_says_so() -> None:
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt), step("Tables", Console(stream, ["web"], color=False)):
        raise KeyboardInterrupt
    assert stream.getvalue() == "  Tables ... interrupted\n"


def test_any_answer_ends_the_waiting() -> None:
    server = HTTPServer((HOST, free_port()), Broken, bind_and_activate=False)
    waiting = threading.Thread(
        target=wait_for_answers, args=([f"http://{HOST}:{server.server_address[1]}/"],), daemon=True
    )
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    server.server_bind()
    server.server_activate()
    with server:
        server.handle_request()
        waiting.join(20)
    assert not waiting.is_alive()
