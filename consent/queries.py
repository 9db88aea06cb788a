"""Find documents and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.models import ConsentDocument, ConsentRecord, DocumentKind
from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet


def current_document(*, locale: str, now: datetime) -> ConsentDocument | None:
    """Find the consent text to show now: the newest in English, or its translation where `locale` has one."""
    newest = _published(now).filter(locale="en").order_by("-published_at", "-version").first()
    return newest and published_document(version=newest.version, locale=locale, now=now)


def published_document(*, version: str, locale: str, now: datetime) -> ConsentDocument | None:
    """Find one version of the consent text, in `locale` where it has been translated, else in English."""
    known = _published(now).filter(version=version)
    return known.filter(locale=locale).first() or known.filter(locale="en").first()


def newest_valid_record(*, email: str, session_type: str, now: datetime) -> ConsentRecord | None:
    """Find the newest record that covers a booking of this type by this email."""
    return (
        ConsentRecord.objects.filter(
            email_hash__in=email_digests(email), session_type=session_type, valid_until__gt=now, is_flagged=False
        )
        .order_by("-created_at")
        .first()
    )


def _published(now: datetime) -> QuerySet[ConsentDocument]:
    return ConsentDocument.objects.filter(kind=DocumentKind.INFORMED_CONSENT, published_at__lte=now)
