"""Record consent, and find the consent that a booking stands on."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from consent.documents import shipped_document
from consent.models import ConsentDocument, ConsentMethod, ConsentRecord
from consent.queries import current_document, newest_valid_record, published_document
from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.observability.request_ids import current_request_id

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class UnknownConsentVersion(Refusal):
    """The text that was shown is not one that we have published."""

    code = "unknown_consent_version"
    status = 400
    sentence = "The consent text has changed. Please read and accept the current one."


class AcknowledgmentMissing(Refusal):
    """A point that must be accepted was not."""

    code = "acknowledgment_missing"
    status = 400
    sentence = "Please accept every point of the consent to go on."


class ConsentRequired(Refusal):
    """A booking without consent."""

    code = "consent_required"
    status = 400
    sentence = "Please read and accept the consent before booking."


@dataclass(frozen=True)
class Circumstances:
    """What our server saw while consent was given. `claimed_address` is the browser's own word, and only that."""

    address: str = ""
    address_source: str = "none"
    user_agent: str = ""
    claimed_address: str = ""
    locale: str = "en"


def publish_shipped_document(*, now: datetime) -> bool:
    """Publish the document that ships unless its version is there; return whether it was published now."""
    document = shipped_document()
    document.published_at = now
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def record_consent(
    *,
    session_type: str,
    email: str,
    version: str,
    acknowledgments: list[str],
    circumstances: Circumstances,
    now: datetime,
) -> ConsentRecord:
    """Record that every required point of a published document was accepted.

    Raises UnknownConsentVersion (or keeps the record and flags it, as CONSENT_UNKNOWN_VERSION says),
    AcknowledgmentMissing.
    """
    document = _document_of(version, circumstances.locale, now)
    if document is not None:
        _require_all(document, acknowledgments)
    return _write(
        document,
        session_type=session_type,
        email=email,
        version=version,
        acknowledgments=acknowledgments,
        method=ConsentMethod.CHECKBOX,
        circumstances=circumstances,
        now=now,
    )


def settle_consent(
    *,
    session_type: str,
    email: str,
    consent_id: UUID | None,
    accepted: bool,
    circumstances: Circumstances,
    now: datetime,
) -> ConsentRecord:
    """Return the consent that a booking stands on: the one named, else the newest valid, else one made from `accepted`.

    Raises ConsentRequired when there is none, or the one named is another person's, of another type, or no longer
    valid.
    """
    if consent_id is not None:
        return _named(consent_id, session_type, email, now)
    if not accepted:
        raise ConsentRequired(fields={"consentAccepted": ["Please accept the consent."]})
    found = newest_valid_record(email=email, session_type=session_type, now=now)
    if found is not None:
        return found
    document = current_document(locale=circumstances.locale, now=now)
    if document is None:
        raise ConsentRequired(fields={"consentAccepted": ["There is no consent text to accept."]})
    ids = [item["id"] for item in document.acknowledgments]
    return _write(
        document,
        session_type=session_type,
        email=email,
        version=document.version,
        acknowledgments=ids,
        method=ConsentMethod.BOOKING,
        circumstances=circumstances,
        now=now,
    )


def _named(consent_id: UUID, session_type: str, email: str, now: datetime) -> ConsentRecord:
    found = ConsentRecord.objects.filter(
        id=consent_id, email_hash__in=email_digests(email), session_type=session_type
    ).first()
    if found is None or not found.is_valid_at(now) or found.is_flagged:
        raise ConsentRequired(fields={"consentId": ["This consent does not cover the booking."]})
    return found


def _document_of(version: str, locale: str, now: datetime) -> ConsentDocument | None:
    document = published_document(version=version, locale=locale, now=now)
    if document is None and settings.CONSENT_UNKNOWN_VERSION != "flag":
        raise UnknownConsentVersion(fields={"consentVersion": ["Unknown version of the consent text."]})
    return document


def _require_all(document: ConsentDocument, acknowledgments: list[str]) -> None:
    missing = [item["id"] for item in document.acknowledgments if item["id"] not in acknowledgments]
    if missing:
        raise AcknowledgmentMissing(fields={"acknowledgments": [f"Not accepted: {', '.join(missing)}."]})


def _write(
    document: ConsentDocument | None,
    *,
    session_type: str,
    email: str,
    version: str,
    acknowledgments: list[str],
    method: ConsentMethod,
    circumstances: Circumstances,
    now: datetime,
) -> ConsentRecord:
    with transaction.atomic():
        consent = ConsentRecord.objects.create(
            session_type=session_type,
            email_hash=email_digest(email),
            consent_version=version,
            acknowledgments=acknowledgments,
            ip_address=shortened(circumstances.address),
            user_agent=circumstances.user_agent or None,
            created_at=now,
            expires_at=now + timedelta(days=settings.CONSENT_RETENTION_DAYS),
            document=document,
            document_sha256=document.sha256 if document else "",
            is_flagged=document is None,
            locale=document.locale if document else circumstances.locale[:10],
            method=method,
            email=email,
            full_ip_address=circumstances.address or None,
            ip_address_source=circumstances.address_source,
            claimed_ip_address=circumstances.claimed_address or None,
            request_id=current_request_id(),
            valid_until=now + timedelta(days=settings.CONSENT_VALID_DAYS),
        )
        record(
            action="consent.given",
            actor="client",
            target=f"consent:{consent.id}",
            now=now,
            details={"version": version, "document_sha256": consent.document_sha256, "method": method},
            evidence=consent,
        )
    return consent


def shortened(address: str) -> str | None:
    """Cut an address to its network (/24 or /48), so that lists do not point at one household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    prefix = 24 if parsed.version == 4 else 48  # noqa: PLR2004  (IPv4)
    return str(ipaddress.ip_network((parsed, prefix), strict=False).network_address)
