"""The documents: their canonical form, and the one that ships."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import Any

from django.conf import settings

from consent.models import ConsentDocument, DocumentKind

SHIPPED_VERSION = "2024-01-15"
SHIPPED_TITLE = "Informed consent for online sessions"
SHIPPED_ACKNOWLEDGMENTS = [
    {"id": "item1", "label": "I have read this page, and I agree to take part in the session I am booking."},
    {"id": "item2", "label": "I understand the limits of confidentiality and of talking online."},
    {
        "id": "item3",
        "label": "I agree that the details I enter are kept, encrypted, to arrange and document my session.",
    },
]


def shipped_text() -> str:
    """Read the text that ships; one word changed in that file would be another document, so a test holds its digest."""
    return (settings.BASE_DIR / "templates/consent" / f"{SHIPPED_VERSION}.en.txt").read_text(encoding="utf-8")


def canonical_sha256(*, title: str, text: str, acknowledgments: list[dict[str, str]]) -> str:
    """Digest what a client was shown: NFC, one newline form, JSON with sorted keys and no spaces, UTF-8.

    A stranger can recompute it from the document alone, so its form must never change.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    shown: dict[str, Any] = {"title": title, "text": lines, "acknowledgments": acknowledgments}
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(unicodedata.normalize("NFC", canonical).encode()).hexdigest()


def shipped_document() -> ConsentDocument:
    """Make the document that ships, unsaved and without its date."""
    text = shipped_text()
    return ConsentDocument(
        kind=DocumentKind.INFORMED_CONSENT,
        version=SHIPPED_VERSION,
        locale="en",
        title=SHIPPED_TITLE,
        text=text,
        acknowledgments=SHIPPED_ACKNOWLEDGMENTS,
        sha256=canonical_sha256(title=SHIPPED_TITLE, text=text, acknowledgments=SHIPPED_ACKNOWLEDGMENTS),
    )
