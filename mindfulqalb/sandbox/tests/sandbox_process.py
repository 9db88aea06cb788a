"""The real sandbox in a process of its own, for tests to drive."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 20
STOP_SECONDS = 10


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class SandboxProcess:
    """A sandbox on free ports. Use it as a context manager, or call `start` and `stop`.

    `web` is the origin that webhooks go to; empty sends none. It can be changed later with `set_web`.
    """

    def __init__(self, state: Path, *, web: str = "", environment: dict[str, str] | None = None) -> None:
        self.state_file = state
        self.web = web
        self.port = free_port()
        self.smtp_port = free_port()
        self._environment = environment or {}
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """The sandbox's origin."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[str]:
        """The running process."""
        if self._process is None:
            raise RuntimeError("the sandbox is not running")
        return self._process

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def command(self) -> list[str]:
        """Return the command line that starts it."""
        ports = ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        return [sys.executable, "-m", "mindfulqalb.sandbox", *ports, "--state", str(self.state_file), "--web", self.web]

    def start(self) -> Self:
        """Start it and wait for its ready line."""
        # Its own settings and default credentials, whatever this test run was started with.
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("CALCOM_", "RAZORPAY_", "STRIPE_", "SANDBOX_"))
        }
        self._process = subprocess.Popen(
            self.command(),
            cwd=ROOT,
            env={**inherited, "PYTHONUNBUFFERED": "1", "SITE_URL": "", **self._environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._await_ready_line()
        return self

    def _await_ready_line(self) -> None:
        output = self.process.stdout
        assert output is not None
        readable, _, _ = select.select([output], [], [], START_SECONDS)
        line = output.readline() if readable else ""
        if not line.startswith("Sandbox ready"):
            self.kill()
            raise RuntimeError(f"the sandbox did not start (it said {line!r})")

    def stop(self) -> None:
        """End it with SIGTERM and wait."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._process = None

    def restart(self) -> Self:
        """Start it again with the same state and ports."""
        self.stop()
        return self.start()

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the control API and return its answer; an error status raises."""
        response = requests.request(method, f"{self.url}/control/{path}", json=body, timeout=30)
        if not response.ok:
            raise requests.HTTPError(f"{response.status_code} {response.text}", response=response)
        return response.json()

    def fault(
        self, vendor: str, kind: str, call: str = "*", *, times: int | None = 1, **parameters: Any
    ) -> dict[str, Any]:
        """Switch a fault on and return it; `mindfulqalb/sandbox/faults.py` lists the kinds."""
        body = {"vendor": vendor, "kind": kind, "call": call, "times": times, **parameters}
        added: dict[str, Any] = self.control("POST", "faults", body)
        return added

    def clear_faults(self) -> None:
        """Switch all faults off."""
        self.control("DELETE", "faults")

    def reset(self) -> None:
        """Forget everything but where webhooks go."""
        self.control("POST", "reset")

    def state(self) -> dict[str, Any]:
        """Return everything that the stand-ins know."""
        known: dict[str, Any] = self.control("GET", "state")
        return known

    def calls(self, name: str) -> int:
        """Return how often a call was made, such as `calcom.bookings.create`."""
        return int(self.control("GET", "calls")["counts"].get(name, 0))

    def call_log(self, name: str) -> list[dict[str, Any]]:
        """Return the logged calls of one name, oldest first."""
        log = self.control("GET", "calls")["log"]
        return [entry for entry in log if f"{entry['vendor']}.{entry['call']}" == name]

    def mailbox(self) -> list[dict[str, Any]]:
        """Return every mail in the order of arrival."""
        found: list[dict[str, Any]] = self.control("GET", "mailbox")["messages"]
        return found

    def empty_mailbox(self) -> None:
        """Forget every mail."""
        self.control("DELETE", "mailbox")

    def turn(self, **switches: Any) -> None:
        """Change switches; `mindfulqalb/sandbox/switches.py` lists them."""
        self.control("POST", "switches", switches)

    def set_web(self, web: str) -> None:
        """Send webhooks to this origin from now on; a reset keeps it."""
        self.turn(web=web)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock on."""
        self.control("POST", "clock/advance", {"seconds": seconds})

    def pay_razorpay(self, order_id: str, outcome: str = "captured", **more: Any) -> dict[str, Any]:
        """Pay an order as a customer: captured, authorized, failed, late, late_authorization or second."""
        told: dict[str, Any] = self.control("POST", f"razorpay/orders/{order_id}/pay", {"outcome": outcome, **more})
        return told

    def pay_stripe(self, session_id: str, outcome: str = "paid", **more: Any) -> dict[str, Any]:
        """Act on a Checkout Session as a customer: paid, delayed or declined."""
        told: dict[str, Any] = self.control("POST", f"stripe/sessions/{session_id}/pay", {"outcome": outcome, **more})
        return told

    def settle(self, what: str, found_id: str, status: str) -> dict[str, Any]:
        """Bring `razorpay/payments`, `stripe/sessions`, either's `refunds` or `disputes` to an end."""
        told: dict[str, Any] = self.control("POST", f"{what}/{found_id}/settle", {"status": status})
        return told

    def dispute(self, what: str, found_id: str, amount: int | None = None) -> dict[str, Any]:
        """Let the client's bank ask for `razorpay/payments` or `stripe/payment_intents` back."""
        raised: dict[str, Any] = self.control("POST", f"{what}/{found_id}/dispute", {"amount": amount})
        return raised

    def change_booking(self, uid: str, change: str, **more: Any) -> dict[str, Any]:
        """Do what the therapist does in Cal.com: cancel, confirm, decline, reschedule, no-show, meeting-ended."""
        told: dict[str, Any] = self.control("POST", f"calcom/bookings/{uid}/{change}", more)
        return told

    def webhooks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the outgoing webhooks, pending and finished."""
        found: dict[str, list[dict[str, Any]]] = self.control("GET", "webhooks")
        return found

    def await_webhooks(self, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until no webhook is pending and return the finished ones."""
        end = time.monotonic() + seconds
        while (book := self.webhooks())["pending"]:
            if time.monotonic() > end:
                raise TimeoutError(f"webhooks still pending after {seconds} s: {book['pending']}")
            time.sleep(0.05)
        return book["finished"]
