"""What the tools of `make audit` report, put in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def vulnerable(report: Mapping[str, Any]) -> list[str]:
    """List what pip-audit knows against our packages: https://pypi.org/project/pip-audit/."""
    return [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {' or '.join(flaw['fix_versions']) or 'none'}"
        for package in report["dependencies"]
        for flaw in package.get("vulns", ())
    ]


def unknown(report: Mapping[str, Any]) -> list[str]:
    """List the packages that pip-audit could ask nobody about: its exit status says nothing of them."""
    return [package["name"] for package in report["dependencies"] if "skip_reason" in package]


def new_secrets(scan: Mapping[str, Any], accepted: Mapping[str, Any]) -> list[str]:
    """List what looks like a secret and was not looked at by a person, as "file:line: kind".

    Both are reports of detect-secrets. A finding is known by its file and its digest, wherever in the file it moves.
    """
    seen = {(file, found["hashed_secret"]) for file, all_found in accepted["results"].items() for found in all_found}
    return [
        f"{file}:{found['line_number']}: {found['type']}"
        for file, all_found in sorted(scan["results"].items())
        for found in all_found
        if (file, found["hashed_secret"]) not in seen
    ]
