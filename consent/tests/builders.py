"""Plain builders: each makes one valid thing, and takes what a test is about as an override."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from consent.documents import canonical_sha256, shipped_document
from consent.evidence import Circumstances
from consent.models import ConsentDocument, ConsentRecord
from consent.publishing import publish_shipped_document
from consent.services import record_consent, settle_consent

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
LONG_AGO = NOW - timedelta(days=500)
TICKED = ["item1", "item2", "item3"]
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HERE = Circumstances(address="203.0.113.77", address_source="peer", user_agent=BROWSER)


def publish() -> ConsentDocument:
    """The document that ships, in force for long."""
    publish_shipped_document(now=LONG_AGO)
    return ConsentDocument.objects.get(version="2024-01-15", locale="en")


def make_document(**overrides: Any) -> ConsentDocument:
    """Another published document: a translation or a newer version."""
    values: dict[str, Any] = {
        "version": "2024-01-15",
        "locale": "hi",
        "title": "\u0938\u0939\u092e\u0924\u093f",
        "text": "# \u0938\u0939\u092e\u0924\u093f",
        "acknowledgments": shipped_document().acknowledgments,
        "published_at": LONG_AGO,
    } | overrides
    shown = {name: values[name] for name in ("title", "text", "acknowledgments")}
    return ConsentDocument.objects.create(sha256=canonical_sha256(**shown), **values)


def make_consent(**overrides: Any) -> ConsentRecord:
    """Jane's consent to an individual session, given now."""
    values: dict[str, Any] = {
        "session_type": "individual",
        "email": "jane@example.com",
        "version": "2024-01-15",
        "acknowledgments": TICKED,
        "circumstances": HERE,
        "now": NOW,
    }
    return record_consent(**(values | overrides))


def settle(**overrides: Any) -> ConsentRecord:
    """What Jane's booking of an individual session, made now, stands on."""
    values: dict[str, Any] = {
        "session_type": "individual",
        "email": "jane@example.com",
        "consent_id": None,
        "accepted": True,
        "circumstances": HERE,
        "now": NOW,
    }
    return settle_consent(**(values | overrides))
