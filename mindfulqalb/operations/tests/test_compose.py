"""compose.yaml is not started here: what it says is held against the rest of the house."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"] == "mindfulqalb"}
PRODUCTION = re.search(
    r"^## Run it in production$.*?(?=^## )", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
)


def test_compose_runs_all_that_the_readme_promises() -> None:
    assert sorted(SERVICES) == ["beat", "migrate", "postgres", "proxy", "redis", "web", "worker"]
    assert sorted(OURS) == ["beat", "migrate", "web", "worker"]


def test_services_wait_for_what_is_there_and_can_be_well() -> None:
    unwell = {"beat", "migrate"}
    waited_for = {
        (name, other, terms["condition"])
        for name, service in SERVICES.items()
        for other, terms in service.get("depends_on", {}).items()
    }

    assert {other for _, other, _ in waited_for} <= set(SERVICES)
    assert [other for _, other, condition in waited_for if condition == "service_healthy" and other in unwell] == []
    assert {name for name, service in SERVICES.items() if service.get("healthcheck", {}).get("disable")} == unwell


def test_nothing_but_the_proxy_is_open_to_the_network() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert published.pop("proxy") == ["80:80", "443:443"]
    assert [port for ports in published.values() for port in ports if not port.startswith("127.0.0.1:")] == []


def test_our_services_may_write_nowhere_and_become_nobody_else() -> None:
    assert {(s["read_only"], *s["cap_drop"], *s["security_opt"]) for s in map(SERVICES.__getitem__, OURS)} == {
        (True, "ALL", "no-new-privileges:true")
    }


def test_services_have_more_time_to_end_than_their_work_takes() -> None:
    image = dict(re.findall(r"(GRANIAN_\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))

    grace = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in ("web", "worker")}

    assert (
        grace["web"] > int(image["GRANIAN_WORKERS_KILL_TIMEOUT"]),
        grace["worker"] > settings.WORKER_STOP_SECONDS > settings.CALENDAR_WORKER_TIMEOUT,
    ) == (True, True)


def test_volumes_are_declared_and_used() -> None:
    used = {mount.partition(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}

    assert {name for name in used if not name.startswith(".")} == set(COMPOSE["volumes"])
    assert [name for name in used if name.startswith(".") and not (ROOT / name).is_file()] == []


def test_commands_that_are_named_exist() -> None:
    texts = [(ROOT / name).read_text() for name in ("compose.yaml", "Dockerfile", ".env.example")]
    assert PRODUCTION
    named = set(re.findall(r"manage\.py (\w+)", "\n".join([*texts, PRODUCTION[0]])))

    assert {"backup", "restore", "run_due_work", "migrate"} - named == set()
    assert named - set(get_commands()) == set()
