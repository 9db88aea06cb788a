"""Every alert asks for a number that we have, and leads to a paragraph that says what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from mindfulqalb.observability import metrics
from mindfulqalb.observability.metrics import gauges

FOLDER = Path(metrics.__file__).parent / "alerts"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"][0]["rules"]
RUNBOOK = (FOLDER / "RUNBOOK.md").read_text()
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
COUNTERS = [metrics.REQUESTS, metrics.DELIVERIES, metrics.REFUSED_REQUESTS, metrics.COUNTING_OUTAGES]
HISTOGRAMS = [metrics.REQUEST_SECONDS, metrics.VENDOR_SECONDS]
SERIES = (
    {one.name for one in gauges.values()}
    | {"mindfulqalb_unreadable_gauges"}
    | {f"{counter._name}_total" for counter in COUNTERS}
    | {f"{histogram._name}_{part}" for histogram in HISTOGRAMS for part in ("bucket", "count", "sum")}
)


def asked_for(expression: str) -> set[str]:
    return set(re.findall(r"mindfulqalb_\w+", expression))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alert_asks_for_what_is_measured_and_leads_to_its_paragraph(rule: dict[str, Any]) -> None:
    heading = f"## {rule['alert']}\n"
    paragraph = RUNBOOK.partition(heading)[2].partition("\n## ")[0].strip()

    assert asked_for(rule["expr"]) - SERIES == set()
    assert (rule["annotations"]["runbook"], len(paragraph) > 100) == (f"RUNBOOK.md#{rule['alert'].lower()}", True)
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_runbook_has_no_paragraph_without_an_alert() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in RULES]


def test_dashboard_asks_for_what_is_measured_and_shows_every_gauge() -> None:
    shown = {name for panel in PANELS for target in panel["targets"] for name in asked_for(target["expr"])}

    assert (shown - SERIES, {one.name for one in gauges.values()} - shown) == (set(), set())
