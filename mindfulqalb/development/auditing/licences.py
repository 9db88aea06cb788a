"""What the packages of this environment ask of those who use them.

Rejected: `pip-licenses`, which compares whole phrases, so that "MIT AND GPL-3.0" passes wherever "MIT" does.
"""

from __future__ import annotations

import re
from importlib import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# SPDX names, and the phrases of old classifiers. All ask for no more than that their notice is kept.
PERMISSIVE = re.compile(
    r"MIT(-0)?|(MIT|BSD|ISC) License(.*)|BSD(-| )[0-9]-Clause|ISC|Apache-2\.0|Apache Software License|Unlicense|"
    r"The Unlicense \(Unlicense\)|PSF-2\.0|Python Software Foundation License|CC0-1\.0|0BSD|Zlib",
    re.IGNORECASE,
)
# Not permissive, or silent about it, and why they may be here all the same.
ACCEPTED = {
    "psycopg": "LGPL: linked and not changed",
    "psycopg-binary": "LGPL: linked and not changed",
    "psycopg-pool": "LGPL: linked and not changed",
    "certifi": "MPL: data, not changed",
    "hypothesis": "MPL: for tests only",
    "pathspec": "MPL: for checks only",
    "axe-playwright-python": "MIT, says its repository, and MPL (axe): for tests only",
}


def licences_here() -> dict[str, str]:
    """Name the licence of each installed package: its SPDX expression, else its classifiers, else its own word."""
    return {dist.metadata["Name"]: _licence(dist.metadata) for dist in metadata.distributions()}


def not_permissive(licences: Mapping[str, str], *, accepted: Iterable[str] = ACCEPTED) -> list[str]:
    """List as "name: licence" those that ask for more than permissive ones do, or say nothing."""
    known = set(accepted)
    return sorted(f"{name}: {text}" for name, text in licences.items() if name not in known and not _permits(text))


def _licence(about: metadata.PackageMetadata) -> str:
    classified = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    named = [line.rpartition(" :: ")[2] for line in classified if line != "License :: OSI Approved"]
    spdx, own = (" ".join(about.get_all(name, [])).strip() for name in ("License-Expression", "License"))
    return spdx or " AND ".join(named) or own.partition("\n")[0] or "says nothing"


def _permits(expression: str) -> bool:
    """Whether one of the alternatives is permissive in all of its parts."""
    alternatives = re.split(r"\s+OR\s+", expression)
    return any(all(PERMISSIVE.fullmatch(part) for part in re.split(r"\s+AND\s+", one)) for one in alternatives)
