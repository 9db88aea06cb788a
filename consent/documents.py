"""The documents: their canonical form, and those that ship."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from django.conf import settings

from consent.models import ConsentDocument
from consent.states import DocumentKind

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED_VERSION = "2024-01-15"
# A blank line ends a paragraph.
SECTION = re.compile(r"\n\s*\n")


def canonical_sha256(*, title: str, text: str, acknowledgments: list[dict[str, str]]) -> str:
    """Digest what a client was shown: NFC, one newline form, JSON with sorted keys and no spaces, UTF-8.

    A stranger can recompute it from the document alone, so its form must never change.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    shown: dict[str, Any] = {"title": title, "text": lines, "acknowledgments": acknowledgments}
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(unicodedata.normalize("NFC", canonical).encode()).hexdigest()


def digest_of(document: ConsentDocument) -> str:
    """Digest a document as it stands."""
    return canonical_sha256(title=document.title, text=document.text, acknowledgments=document.acknowledgments)


def shipped_documents() -> list[ConsentDocument]:
    """Make every document that ships, unsaved and without its date, English before its translations."""
    files = sorted(shipped_directory().glob("*.txt"), key=lambda file: (not file.stem.endswith(".en"), file.name))
    return [_read(file) for file in files]


def shipped_document(kind: str = DocumentKind.INFORMED_CONSENT, locale: str = "en") -> ConsentDocument:
    """Make one of them."""
    return _read(shipped_directory() / f"{kind}.{SHIPPED_VERSION}.{locale}.txt")


def shipped_directory() -> Path:
    """Where they lie, as `kind.version.locale.txt`."""
    directory: Path = settings.BASE_DIR / "templates/consent/documents"
    return directory


def _read(file: Path) -> ConsentDocument:
    """Read a file: its title, a line `id: label` for each point to tick, a blank line, the text.

    The practice's name and addresses are filled in, so that the document is whole by itself.
    """
    kind, version, locale = file.stem.split(".")
    head, _, text = _filled_in(file.read_text(encoding="utf-8")).partition("\n\n")
    title, *points = head.splitlines()
    pairs = (point.split(": ", 1) for point in points)
    document = ConsentDocument(
        kind=kind,
        version=version,
        locale=locale,
        title=title,
        text=text,
        acknowledgments=[{"id": name, "label": label} for name, label in pairs],
    )
    document.sha256 = digest_of(document)
    return document


def _filled_in(text: str) -> str:
    details = {
        "practice_name": settings.PRACTICE_NAME,
        "practice_email": settings.PRACTICE_EMAIL,
        "site_url": settings.SITE_URL,
    }
    for name, value in details.items():
        text = text.replace(f"{{{name}}}", value)
    return text
