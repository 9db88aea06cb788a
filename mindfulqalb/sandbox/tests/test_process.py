"""The process itself: starting, ending, crashing, and what it says when it cannot start."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
import requests

from mindfulqalb.sandbox.tests.clients import BOOKINGS, book, calcom, local_moment, make_order, make_session
from mindfulqalb.sandbox.tests.sandbox_process import ROOT, SandboxProcess, free_port
from mindfulqalb.sandbox.tests.test_mailbox import letter, send

if TYPE_CHECKING:
    from pathlib import Path

    from mindfulqalb.sandbox.tests.webhook_receiver import WebhookReceiver


def run(sandbox: SandboxProcess) -> tuple[int, str]:
    finished = subprocess.run(sandbox.command(), cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    return finished.returncode, finished.stderr.strip()


def test_state_survives_a_crash(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path / "state.sqlite3") as sandbox:
        uid = book(sandbox, local_moment(3, 10))["uid"]
        sandbox.pay_razorpay(make_order(sandbox)["id"])
        sandbox.pay_stripe(make_session(sandbox).id)
        send(sandbox, letter())
        sandbox.fault("calcom", "bare_500", "me.get")
        sandbox.turn(requiresConfirmation=[401])
        before = sandbox.state()

        sandbox.kill()
        sandbox.start()

        assert sandbox.state() == before
        assert calcom(sandbox, "GET", f"bookings/{uid}", headers=BOOKINGS).json()["data"]["status"] == "accepted"


def test_dropped_answer_survives_a_crash(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path / "state.sqlite3") as sandbox:
        sandbox.fault("razorpay", "drop", "orders.create")
        with pytest.raises(requests.ConnectionError):
            make_order(sandbox, receipt="bk_1")
        sandbox.kill()

        orders = sandbox.start().state()["razorpay"]["orders"]

    assert [order["receipt"] for order in orders] == ["bk_1"]


def test_pending_webhooks_and_timers_survive_a_crash(tmp_path: Path, receiver_process: WebhookReceiver) -> None:
    receiver_process.clear()
    with SandboxProcess(tmp_path / "state.sqlite3", web=receiver_process.url) as sandbox:
        sandbox.turn(webhookDelaySeconds=1)
        sandbox.pay_razorpay(make_order(sandbox)["id"], "late", seconds=1)
        sandbox.pay_stripe(make_session(sandbox).id)
        sandbox.kill()
        sandbox.start()

        deliveries = receiver_process.await_deliveries(4)

        assert sorted(json.loads(d.body).get("event") or json.loads(d.body)["type"] for d in deliveries) == [
            "checkout.session.completed",
            "order.paid",
            "payment.authorized",
            "payment.captured",
        ]


def test_term_ends_it_at_once_even_with_a_hanging_call(tmp_path: Path) -> None:
    with SandboxProcess(tmp_path / "state.sqlite3") as sandbox:
        sandbox.fault("calcom", "hang", "me.get")
        with socket.create_connection(("127.0.0.1", sandbox.port)) as caller:
            caller.sendall(b"GET /calcom/v2/me HTTP/1.1\r\nHost: x\r\n\r\n")
            while sandbox.calls("calcom.me.get") == 0:
                time.sleep(0.02)

            sandbox.process.send_signal(signal.SIGTERM)

            assert sandbox.process.wait(5) == 0


def test_taken_port_is_named_with_its_option(sandbox: SandboxProcess, tmp_path: Path) -> None:
    second = SandboxProcess(tmp_path / "state.sqlite3")
    second.port = sandbox.port

    status, said = run(second)

    assert status == 1
    assert said == (
        f"Port {sandbox.port} is already taken: stop what uses it, or choose another with --port or SANDBOX_PORT."
    )


def test_taken_mail_port_is_named_with_its_option(sandbox: SandboxProcess, tmp_path: Path) -> None:
    second = SandboxProcess(tmp_path / "state.sqlite3")
    second.smtp_port = sandbox.smtp_port

    status, said = run(second)

    option = "--smtp-port or SANDBOX_SMTP_PORT."
    assert status == 1
    assert said == f"Port {sandbox.smtp_port} is already taken: stop what uses it, or choose another with {option}"


def test_unusable_state_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_text("This is no database." * 100)

    status, said = run(SandboxProcess(tmp_path / "state.sqlite3"))

    assert status == 1
    assert said.startswith(f"The state file {tmp_path / 'state.sqlite3'} cannot be used (file is not a database)")


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_impossible_port_is_refused(tmp_path: Path, port: str) -> None:
    command = SandboxProcess(tmp_path / "state.sqlite3").command()
    command[command.index("--port") + 1] = port

    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)

    assert finished.returncode == 2
    assert f"{port!r} is not a port number (1 to 65535)" in finished.stderr


def test_credentials_come_from_the_environment(tmp_path: Path) -> None:
    environment = {"CALCOM_API_KEY": "cal_other", "CALCOM_USERNAME": "asha", "CALCOM_EVENT_TYPE_IDS": '{"free": "7"}'}
    with SandboxProcess(tmp_path / "state.sqlite3", environment=environment) as sandbox:
        headers = {"Authorization": "Bearer cal_other"}

        me = calcom(sandbox, "GET", "me", headers=headers).json()["data"]
        event_type = calcom(sandbox, "GET", "event-types/7", headers={**headers, "cal-api-version": "2024-06-14"})

    assert me["username"] == "asha"
    assert (event_type.json()["data"]["slug"], event_type.json()["data"]["lengthInMinutes"]) == ("free", 15)


def test_ports_and_state_can_come_from_the_environment(tmp_path: Path) -> None:
    ports = {"SANDBOX_PORT": str(free_port()), "SANDBOX_SMTP_PORT": str(free_port())}
    sandbox = SandboxProcess(
        tmp_path / "unused", environment={**ports, "SANDBOX_STATE": str(tmp_path / "named.sqlite3")}
    )
    sandbox.port, sandbox.smtp_port = (int(port) for port in ports.values())
    program = sandbox.command()[:3]
    sandbox.command = lambda: program  # type: ignore[method-assign]

    with sandbox:
        assert sandbox.state()["switches"]["web"] == "http://127.0.0.1:8000"

    assert (tmp_path / "named.sqlite3").exists()


def test_reset_empties_everything_but_the_webhooks_address(sandbox: SandboxProcess) -> None:
    sandbox.set_web("http://127.0.0.1:9")
    book(sandbox, local_moment(3, 10))
    sandbox.pay_stripe(make_session(sandbox).id)
    send(sandbox, letter())
    sandbox.fault("calcom", "bare_500")
    sandbox.turn(availableTo="12:00")

    sandbox.reset()

    state = sandbox.state()
    assert state.pop("switches") | {"web": "http://127.0.0.1:9"} == sandbox.control("GET", "switches")
    assert sandbox.control("GET", "switches")["availableTo"] == "18:00"
    empty = {
        "calls": {"counts": {}, "log": []},
        "calcom": {"bookings": [], "reservations": []},
        "razorpay": {"orders": [], "payments": [], "refunds": [], "disputes": []},
        "stripe": {"sessions": [], "paymentIntents": [], "charges": [], "refunds": [], "disputes": [], "events": []},
        "smtp": {"messages": []},
        "webhooks": {"pending": [], "finished": []},
        "faults": [],
        "timers": [],
    }
    assert state == empty


@pytest.mark.parametrize(
    ("switches", "problem"),
    [
        ({"colour": "red"}, "there is no switch 'colour'"),
        ({"availableDays": "many"}, "availableDays must be of the kind of 60"),
        ({"webhooksStripe": 1}, "webhooksStripe must be of the kind of True"),
    ],
)
def test_switches_refuse_what_they_cannot_be(
    sandbox: SandboxProcess, switches: dict[str, object], problem: str
) -> None:
    response = requests.post(f"{sandbox.url}/control/switches", json=switches, timeout=10)

    assert (response.status_code, response.json()["error"][: len(problem)]) == (400, problem)


def test_control_api_answers_errors_in_json(sandbox: SandboxProcess) -> None:
    wrong_method = requests.delete(f"{sandbox.url}/control/state", timeout=10)
    unreadable = requests.post(f"{sandbox.url}/control/faults", data="{", timeout=10)
    unknown = requests.delete(f"{sandbox.url}/control/faults/99999999", timeout=10)

    assert (wrong_method.status_code, wrong_method.json()["error"]) == (405, "DELETE is not allowed here")
    assert unreadable.status_code == 400
    assert (unknown.status_code, unknown.json()["error"]) == (404, "There is no fault 99999999.")
