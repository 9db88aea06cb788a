"""The client's signed receipt: what they agreed to, word by word, with the fields of ISO/IEC TS 27560 and Kantara v1.1.

Neither standard says how a JSON receipt is signed (Kantara's is a JWT), so it is done as with exports: one verifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid5

from django.conf import settings
from django.urls import reverse

from consent.links import consent_url
from consent.purposes import PURPOSES, Purpose
from consent.queries import acts_of
from consent.states import GIVING, DocumentKind
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.audit.signing import key_id, pem, sign, signing_key

if TYPE_CHECKING:
    from datetime import datetime

    from consent.models import ConsentDocument, ConsentRecord

WITHDRAWAL = "Open the page of this consent by the link in the confirmation email, and press the button."


def receipt_of(consent: ConsentRecord, *, now: datetime) -> dict[str, Any]:
    """Make the receipt as it stands at `now`; the same consent always has the same receipt id.

    `verify_export.py` verifies it: `proof` signs the canonical form of all the rest.
    """
    acts = list(acts_of(consent))
    receipt = {
        "receipt": _header(consent) | {"issued_at": now.isoformat()},
        "record": _processing(acts, consent, now),
        "parties": [_controller()],
        "events": [_event(act) for act in acts],
        "documents": [_document(document) for document in _documents(acts)],
        "kantara": _kantara(acts, consent, now),
    }
    return receipt | {"proof": _proof(receipt)}


def _proof(receipt: dict[str, Any]) -> dict[str, str]:
    signature = sign(receipt | {"key_id": key_id(signing_key())})
    return {
        "algorithm": "Ed25519",
        "signed": "all but this proof, with its key_id, as JSON in ASCII with sorted keys and no spaces",
        "key_id": signature.key_id,
        "signature": signature.text,
        "keys": f"{settings.SITE_URL}{reverse('audit-keys-list')}",
    }


def _header(consent: ConsentRecord) -> dict[str, Any]:
    return {
        "schema_version": "ISO/IEC TS 27560:2023",
        "receipt_id": _receipt_id(consent),
        "record_id": CONSENT.encode(consent.id),
        "pii_principal_id": consent.email_hash,
    }


def _processing(acts: list[ConsentRecord], consent: ConsentRecord, now: datetime) -> dict[str, Any]:
    return {
        "privacy_notice": f"{settings.SITE_URL}/privacy",
        "privacy_notice_sha256": consent.notice_sha256 or None,
        "language": consent.locale,
        "purposes": [_purpose(act) for act in acts if act.event in GIVING],
        "lawful_basis": "consent",
        "special_category": "health",
        "collection_method": consent.get_method_display(),
        "storage_locations": [settings.DATA_LOCATION],
        "retention_until": consent.expires_at.isoformat(),
        "jurisdiction": settings.PRACTICE_REGION,
        "withdrawal_method": WITHDRAWAL,
        "withdrawal_url": consent_url(consent, now=now),
        "rights": ["access", "correction", "erasure", "withdrawal", "nomination", "grievance"],
        "authority": "Data Protection Board of India",
    }


def _purpose(act: ConsentRecord) -> dict[str, Any]:
    purpose = _purpose_of(act)
    return {
        "purpose": purpose.sentence,
        "purpose_type": purpose.term,
        "pii_types": list(purpose.data),
        "pii_controllers": ["controller"],
        "recipients": list(purpose.recipients),
        "pii_optional": not purpose.is_needed,
    }


def _controller() -> dict[str, Any]:
    return {
        "party_id": "controller",
        "party_name": settings.PRACTICE_LEGAL_NAME,
        "party_address": _address(),
        "party_contact": settings.PRACTICE_EMAIL,
        "party_type": "PII controller (data fiduciary)",
    }


def _address() -> str:
    """The practice's postal address in one line; at least its country, where none is set."""
    lines = [line.strip() for line in settings.PRACTICE_ADDRESS.split(";")]
    return ", ".join(filter(None, lines)) or settings.PRACTICE_REGION


def _event(act: ConsentRecord) -> dict[str, Any]:
    return {
        "record_id": CONSENT.encode(act.id),
        "event_time": act.created_at.isoformat() if act.created_at else None,
        "event_type": "explicit consent",
        "event_state": act.event,
        "entity_id": act.actor,
        "validity_until": act.valid_until.isoformat() if act.event in GIVING else None,
        "kind": act.kind,
        "session_type": act.session_type,
        "document_version": act.consent_version,
        "document_sha256": act.document_sha256 or None,
        "acknowledgments": act.acknowledgments,
        "method": act.method,
        "control_label": act.control_label or None,
        "network": act.ip_address,
        "user_agent": act.user_agent,
    }


def _documents(acts: list[ConsentRecord]) -> list[ConsentDocument]:
    """List each text that was shown, once."""
    shown = [document for act in acts for document in (act.document, act.notice) if document is not None]
    return list({document.id: document for document in shown}.values())


def _document(document: ConsentDocument) -> dict[str, Any]:
    names = ("kind", "version", "locale", "title", "text", "acknowledgments", "sha256")
    return {name: getattr(document, name) for name in names}


def _kantara(acts: list[ConsentRecord], consent: ConsentRecord, now: datetime) -> dict[str, Any]:
    given_at = consent.created_at or now
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": settings.PRACTICE_REGION,
        "consentTimestamp": int(given_at.timestamp()),
        "collectionMethod": consent.get_method_display(),
        "consentReceiptID": _receipt_id(consent),
        "publicKey": pem(signing_key()),
        "language": consent.locale,
        "piiPrincipalId": consent.email_hash,
        "piiControllers": [_kantara_controller()],
        "policyUrl": f"{settings.SITE_URL}/privacy",
        "services": [
            {
                "service": f"Online sessions: {consent.session_type}",
                "purposes": [_kantara_purpose(act) for act in acts if act.event in GIVING],
            }
        ],
        "sensitive": True,
        "spiCat": ["Health"],
    }


def _kantara_controller() -> dict[str, Any]:
    return {
        "piiController": settings.PRACTICE_LEGAL_NAME,
        "onBehalf": False,
        "contact": settings.PRACTICE_NAME,
        "address": {"streetAddress": _address()},
        "email": settings.PRACTICE_EMAIL,
        "phone": "",
    }


def _kantara_purpose(act: ConsentRecord) -> dict[str, Any]:
    purpose = _purpose_of(act)
    return {
        "purpose": purpose.sentence,
        "purposeCategory": [purpose.term],
        "consentType": "EXPLICIT",
        "piiCategory": list(purpose.data),
        "primaryPurpose": purpose.is_needed,
        "termination": WITHDRAWAL,
        "thirdPartyDisclosure": True,
        "thirdPartyName": ", ".join(purpose.recipients),
    }


def _purpose_of(act: ConsentRecord) -> Purpose:
    return PURPOSES[DocumentKind(act.kind)]


def _receipt_id(consent: ConsentRecord) -> str:
    return str(uuid5(consent.id, "receipt"))
