"""What `make audit` makes of its tools' reports; the tools themselves need a network, this does not."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from mindfulqalb.development.auditing.findings import new_secrets, unknown, vulnerable
from mindfulqalb.development.auditing.licences import ACCEPTED, licences_here, not_permissive

ROOT = Path(__file__).resolve().parents[3]


def test_packages_here_ask_for_no_more_than_their_notice() -> None:
    licences = licences_here()

    assert (len(licences) > 100, licences["Django"]) == (True, "BSD-3-Clause")
    assert not_permissive(licences) == []


@pytest.mark.parametrize("name", ACCEPTED)
def test_exceptions_are_needed(name: str) -> None:
    assert not_permissive({name: licences_here()[name]}, accepted=()) != []


@pytest.mark.parametrize(
    "licence",
    ["MIT", "MIT License", "BSD-3-Clause", "Apache-2.0 OR GPL-3.0-only", "MIT AND PSF-2.0", "BSD 3-Clause OR GPL-2.0"],
)
def test_permissive_licences_pass(licence: str) -> None:
    assert not_permissive({"package": licence}) == []


@pytest.mark.parametrize(
    "licence",
    [
        *("GPL-3.0-only", "MIT AND GPL-3.0-only", "LGPL-3.0-or-later", "AGPL-3.0", "MPL-2.0", "says nothing"),
        *("MITIGATED", "Proprietary", "GNU General Public License v2 (GPLv2)", "SSPL-1.0", ""),
    ],
)
def test_other_licences_are_named(licence: str) -> None:
    assert not_permissive({"package": licence}) == [f"package: {licence}"]


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": []} | more


def test_known_vulnerabilities_are_named_with_what_mends_them() -> None:
    flaws = [{"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}, {"id": "CVE-2", "fix_versions": []}]
    report = {"dependencies": [package("sound"), package("broken", vulns=flaws)]}

    assert vulnerable(report) == ["broken 1.0: CVE-1, mended in 1.1 or 2.0", "broken 1.0: CVE-2, mended in none"]
    assert unknown(report) == []


def test_packages_that_nobody_was_asked_about_do_not_pass_for_sound() -> None:
    report = {"dependencies": [package("sound"), {"name": "unasked", "skip_reason": "Dependency not found on PyPI"}]}

    assert (vulnerable(report), unknown(report)) == ([], ["unasked"])


def found(digest: str, line: int = 1) -> dict[str, Any]:
    return {"type": "Secret Keyword", "hashed_secret": digest, "line_number": line}


def test_secret_is_new_but_where_a_person_has_seen_it() -> None:
    accepted = {"results": {"a.py": [found("1", 3)]}}
    scan = {"results": {"b.py": [found("1", 9)], "a.py": [found("1", 5), found("2", 7)]}}

    assert new_secrets(scan, accepted) == ["a.py:7: Secret Keyword", "b.py:9: Secret Keyword"]
    assert new_secrets(accepted, accepted) == []


def test_accepted_secrets_lie_in_files_that_exist() -> None:
    accepted = json.loads((ROOT / ".github/accepted-secrets.json").read_text())["results"]

    assert [file for file in accepted if not (ROOT / file).is_file()] == []
    assert {name for files in accepted.values() for finding in files for name in finding} == {"type", "hashed_secret"}


def test_tools_are_pinned_as_named() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["audit"]
    pinned = set(re.findall(r"^([\w.-]+)==\S+", (ROOT / "requirements-audit.txt").read_text(), re.MULTILINE))

    assert {re.split(r"[>=<]", name)[0] for name in named} <= pinned


def test_audit_runs_each_week_and_insists_on_all_of_it() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text())

    assert [entry["cron"].split()[2:] for entry in workflow[True]["schedule"]] == [["*", "*", "1"]]
    assert "make audit AUDIT_STRICT=1" in [step.get("run") for step in workflow["jobs"]["audit"]["steps"]]
    assert workflow["permissions"] == {"contents": "read"}
