"""Exports for tests: take one, look into it, and have it verified."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from consent.export_filter import ConsentFilter
from consent.exports import export_consents
from consent.tests.builders import NOW
from mindfulqalb.audit.exports.verify_export import verify

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

EVERYTHING = ConsentFilter()


def taken(wanted: ConsentFilter = EVERYTHING, *, now: datetime = NOW) -> bytes:
    """Return the whole archive."""
    _, archive = export_consents(wanted=wanted, actor="staff:1", reason="Audit 2026", now=now, allow_empty=True)
    return b"".join(archive)


def opened(archive: bytes) -> zipfile.ZipFile:
    """Open it."""
    return zipfile.ZipFile(io.BytesIO(archive))


def entries(archive: bytes, name: str = "trail.jsonl") -> list[Any]:
    """Read a file of it."""
    return [json.loads(line) for line in opened(archive).read(name).splitlines()]


def records(archive: bytes) -> list[Any]:
    """What is shown of the trail, by the time of the records."""
    shown = [entry for entry in entries(archive) if "record" in entry]
    return sorted(shown, key=lambda entry: str(entry["record"]["created_at"]))


def emails(archive: bytes) -> list[str]:
    """Whose records are in it, without their domain."""
    return [entry["record"]["email_encrypted"].partition("@")[0] for entry in records(archive)]


def verdict(archive: bytes, key: str, tmp_path: Path) -> str:
    """What the verifier says against it; empty when it holds."""
    file = tmp_path / "export.zip"
    file.write_bytes(archive)
    try:
        verify(str(file), key)
    except SystemExit as end:
        return str(end.code)
    return ""
