"""Look at availability as many clients do, and measure it; upstream is the sandbox, which takes its time."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

TIMEOUT = 30
SLOTS = "slots.list"


@dataclass(frozen=True)
class Load:
    """So many requests, over so many days ahead, by clients who together make `rate` of them a second."""

    url: str
    sandbox_url: str
    session_types: tuple[str, ...]
    requests: int = 1000
    clients: int = 50
    days: int = 30
    rate: float = 50.0
    latency: float = 0.3

    def asked(self, number: int) -> dict[str, str]:
        """What the request of this number asks for: all sessions and days come in turn."""
        day = datetime.now(UTC).date() + timedelta(days=1 + number % self.days)
        return {"date": day.isoformat(), "sessionType": self.session_types[number % len(self.session_types)]}


@dataclass(frozen=True)
class Measured:
    """What came of it; times in seconds."""

    first: list[float]
    warm: list[float]
    answers: Counter[str]
    upstream: Counter[str]

    def warm_at(self, percent: int) -> float:
        """The time that this share of the warm requests did not exceed."""
        return sorted(self.warm)[max(0, len(self.warm) * percent // 100 - 1)]


def measure(load: Load) -> Measured:
    """Ask once for each session, then with the whole crowd, while every upstream call takes `latency` longer."""
    before = _upstream(load)
    fault = {"vendor": "calcom", "kind": "delay", "call": SLOTS, "times": None, "seconds": load.latency}
    added = _control(load, "POST", "faults", fault)
    try:
        with requests.Session() as browser:
            first = [_ask(load, number, browser) for number in range(len(load.session_types))]
        with ThreadPoolExecutor(load.clients) as crowd:
            shares = crowd.map(lambda client: _look(load, client), range(load.clients))
            warm = [answer for share in shares for answer in share]
    finally:
        _control(load, "DELETE", f"faults/{added['id']}")
    answers = Counter(answer for answer, _ in [*first, *warm])
    return Measured([took for _, took in first], [took for _, took in warm], answers, _upstream(load) - before)


def _look(load: Load, client: int) -> list[tuple[str, float]]:
    """Make one client's requests at its own pace; who is late does not hurry to catch up."""
    pause = load.clients / load.rate
    time.sleep(pause * client / load.clients)
    answers = []
    with requests.Session() as browser:
        for number in range(client, load.requests, load.clients):
            answers.append(_ask(load, number, browser))
            time.sleep(max(0.0, pause - answers[-1][1]))
    return answers


def _ask(load: Load, number: int, browser: requests.Session) -> tuple[str, float]:
    begun = time.perf_counter()
    response = browser.get(f"{load.url}/api/availability", params=load.asked(number), timeout=TIMEOUT)
    took = time.perf_counter() - begun
    return f"{response.status_code}{' stale' if response.ok and response.json()['stale'] else ''}", took


def _upstream(load: Load) -> Counter[str]:
    log = _control(load, "GET", "calls")["log"]
    paths = [entry["path"] for entry in log if entry["call"] == SLOTS]
    return Counter(parse_qs(urlsplit(path).query)["eventTypeId"][0] for path in paths)


def _control(load: Load, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    response = requests.request(method, f"{load.sandbox_url}/control/{path}", json=body, timeout=TIMEOUT)
    response.raise_for_status()
    return response.json()
