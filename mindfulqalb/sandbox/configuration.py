"""What the sandbox was told when it started: ports, where its state lies, and the credentials it accepts."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

LAST_PORT = 65535
EVENT_TYPE_IDS = {
    "individual-chat": "101",
    "individual-audio": "102",
    "individual-video": "103",
    "couples-audio": "201",
    "couples-video": "202",
    "family-audio": "301",
    "family-video": "302",
    "free": "401",
}


@dataclass(frozen=True)
class Configuration:
    """Everything that stays fixed while the sandbox runs."""

    host: str
    port: int
    smtp_port: int
    state: Path
    web: str
    public_url: str
    calcom_api_key: str
    calcom_username: str
    calcom_webhook_secret: str
    event_type_ids: dict[str, str]
    practice_name: str
    time_zone: str
    razorpay_key_id: str
    razorpay_key_secret: str
    razorpay_webhook_secret: str
    stripe_secret_key: str
    stripe_webhook_secret: str


def read_configuration(arguments: list[str]) -> Configuration:
    """Build the configuration from the command line, then the environment, then the sandbox's own defaults."""
    options = _parser().parse_args(arguments)
    return Configuration(
        host=options.host,
        port=options.port,
        smtp_port=options.smtp_port,
        state=Path(options.state),
        web=options.web.rstrip("/"),
        public_url=options.public_url.rstrip("/"),
        calcom_api_key=os.environ.get("CALCOM_API_KEY") or "cal_sandbox",
        calcom_username=os.environ.get("CALCOM_USERNAME") or "mindfulqalb",
        calcom_webhook_secret=os.environ.get("CALCOM_WEBHOOK_SECRET") or "whsec_sandbox_calcom",
        event_type_ids=json.loads(os.environ.get("CALCOM_EVENT_TYPE_IDS") or "null") or EVENT_TYPE_IDS,
        practice_name=os.environ.get("PRACTICE_NAME") or "MindfulQALB",
        time_zone=os.environ.get("PRACTICE_TIME_ZONE") or "Asia/Kolkata",
        razorpay_key_id=os.environ.get("RAZORPAY_KEY_ID") or "rzp_test_sandbox",
        razorpay_key_secret=os.environ.get("RAZORPAY_KEY_SECRET") or "rzp_sandbox_secret",
        razorpay_webhook_secret=os.environ.get("RAZORPAY_WEBHOOK_SECRET") or "whsec_sandbox_razorpay",
        stripe_secret_key=os.environ.get("STRIPE_SECRET_KEY") or "sk_test_sandbox",
        stripe_webhook_secret=os.environ.get("STRIPE_WEBHOOK_SECRET") or "whsec_sandbox_stripe",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mindfulqalb.sandbox",
        description="Stand-ins for Cal.com, Razorpay, Stripe and a mail server.",
    )
    option = parser.add_argument
    option("--host", default=_environment("SANDBOX_HOST", "127.0.0.1"), help="address to listen on (SANDBOX_HOST)")
    option("--port", type=_port, default=_environment("SANDBOX_PORT", "8100"), help="HTTP port (SANDBOX_PORT)")
    option(
        "--smtp-port",
        type=_port,
        default=_environment("SANDBOX_SMTP_PORT", "8125"),
        help="mail port (SANDBOX_SMTP_PORT)",
    )
    option("--state", default=_environment("SANDBOX_STATE", _default_state()), help="SQLite file (SANDBOX_STATE)")
    option(
        "--web",
        default=_environment("SITE_URL", "http://127.0.0.1:8000"),
        help="where signed webhooks go and the booking page is (SITE_URL)",
    )
    option(
        "--public-url",
        default=_environment("SANDBOX_PUBLIC_URL", ""),
        help="how browsers reach the sandbox; default: as each caller did (SANDBOX_PUBLIC_URL)",
    )
    return parser


def _environment(name: str, default: str) -> str:
    return os.environ.get(name) or default


def _default_state() -> str:
    return str(Path(os.environ.get("DATA_DIR") or ".data") / "sandbox.sqlite3")


def _port(text: str) -> int:
    number = int(text) if text.isdigit() else -1
    if not 0 < number <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (1 to 65535)")
    return number


_configuration: Configuration | None = None


def configure(value: Configuration) -> None:
    """Make this the configuration of the process."""
    global _configuration  # noqa: PLW0603 - set once, before the first request
    _configuration = value


def configuration() -> Configuration:
    """Return the configuration of the process; it must have been set."""
    if _configuration is None:
        raise RuntimeError("the sandbox is not configured")
    return _configuration
