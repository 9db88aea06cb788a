"""Run every audit and say what each found: `make audit`.

It ends with 1 when one of them found something. Vulnerabilities are asked of PyPI; where nobody answers, it says so and
goes on, but for AUDIT_STRICT=1, as in the weekly run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mindfulqalb.development.auditing.findings import new_secrets, unknown, vulnerable
from mindfulqalb.development.auditing.licences import ACCEPTED, licences_here, not_permissive

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("DATA_DIR") or ROOT / ".data")
TOOLS = DATA / "audit-tools/bin"
BILL = DATA / "sbom.cdx.json"
PINNED = "requirements.txt"
# Findings of detect-secrets that a person looked at: examples, published secrets, and names of things.
ACCEPTED_SECRETS = ROOT / ".github/accepted-secrets.json"
# Digests of packages are no secrets.
NOT_SCANNED = r"requirements.*\.txt|accepted-secrets\.json"


def main() -> int:
    """Return the exit status."""
    audits = {
        "Code (ruff's S rules, which are bandit's)": _code,
        "Secrets (detect-secrets)": _secrets,
        "Licences": _licences,
        "Known vulnerabilities (pip-audit)": _vulnerabilities,
        f"Bill of materials (CycloneDX), for {BILL}": _bill_of_materials,
    }
    failed = []
    for name, audit in audits.items():
        sys.stdout.write(f"{name}:\n")
        problems = audit()
        sys.stdout.writelines(f"  {problem}\n" for problem in problems)
        failed += [name] if problems else []
    sys.stdout.write(f"Failed: {'; '.join(failed)}\n" if failed else "Nothing else to object to.\n")
    return 1 if failed else 0


def _code() -> list[str]:
    # The whole of ruff is checked by `make lint`; this says at a glance that no S rule is switched off for the product.
    ran = _run(sys.executable, "-m", "ruff", "check", "--quiet", "--output-format", "concise", "--select", "S", ".")
    return ran.stdout.splitlines()


def _secrets() -> list[str]:
    scan = _json(str(TOOLS / "detect-secrets"), "scan", "--no-verify", "--exclude-files", NOT_SCANNED)
    return new_secrets(scan, json.loads(ACCEPTED_SECRETS.read_text(encoding="utf-8")))


def _licences() -> list[str]:
    licences = licences_here()
    sys.stdout.writelines(f"  {name}: {licences[name]}\n" for name in sorted(licences, key=str.casefold))
    sys.stdout.writelines(f"  accepted: {name}, {why}\n" for name, why in ACCEPTED.items())
    return not_permissive(licences)


def _vulnerabilities() -> list[str]:
    options = ["--format", "json", "--progress-spinner", "off", "--disable-pip", "--require-hashes"]
    report = _json(str(TOOLS / "pip-audit"), *options, "--requirement", PINNED)
    if not (unasked := unknown(report)):
        return vulnerable(report)
    sentence = f"NOT CHECKED: nobody here knows about {len(unasked)} of {len(report['dependencies'])} packages."
    sys.stdout.write(f"  {sentence} The database of pypi.org cannot be reached: run this where it can.\n")
    return vulnerable(report) + ([sentence] if os.environ.get("AUDIT_STRICT") else [])


def _bill_of_materials() -> list[str]:
    options = ["--pyproject", "pyproject.toml", "--output-reproducible", "--output-file", str(BILL)]
    ran = _run(str(TOOLS / "cyclonedx-py"), "requirements", *options, PINNED)
    return ran.stderr.splitlines()[-3:] if ran.returncode else []


def _json(*command: str) -> Any:
    ran = _run(*command)
    try:
        return json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"{command[0]} gave no report: {ran.stderr.strip()[-1000:]}")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
