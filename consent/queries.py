"""Find documents and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.models import ConsentDocument, ConsentRecord, DocumentKind
from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from datetime import datetime


def current_document(*, locale: str, now: datetime) -> ConsentDocument | None:
    """Find the consent text to show now, in `locale` where there is one, else in English."""
    published = ConsentDocument.objects.filter(kind=DocumentKind.INFORMED_CONSENT, published_at__lte=now)
    newest = published.order_by("-published_at", "-version")
    return newest.filter(locale=locale).first() or newest.filter(locale="en").first()


def newest_valid_record(*, email: str, session_type: str, now: datetime) -> ConsentRecord | None:
    """Find the newest record that covers a booking of this type by this email."""
    return (
        ConsentRecord.objects.filter(
            email_hash__in=email_digests(email), session_type=session_type, valid_until__gt=now, is_flagged=False
        )
        .order_by("-created_at")
        .first()
    )
