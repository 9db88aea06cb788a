"""Record consent, and find the consent that a booking stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from consent.evidence import Act, Circumstances, write_closing, write_giving
from consent.queries import current_document, newest_valid_record, published_document, with_state
from consent.refusals import (
    AcknowledgmentMissing,
    ConsentExpired,
    ConsentRequired,
    ConsentWithdrawn,
    GuardianConsentRequired,
    UnknownConsentVersion,
)
from consent.states import AgeBand, ConsentEvent, ConsentMethod, ConsentState, DocumentKind
from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from consent.models import ConsentDocument, ConsentRecord
    from mindfulqalb.api.errors import Refusal

REFUSAL_OF_STATE: dict[str, type[Refusal]] = {
    ConsentState.EXPIRED: ConsentExpired,
    ConsentState.WITHDRAWN: ConsentWithdrawn,
}


@dataclass(frozen=True)
class Answer:
    """Which points of which version of a document were ticked."""

    version: str
    acknowledgments: list[str]


@dataclass(frozen=True)
class Guardianship:
    """Who consents for somebody under 18, to what; and what the young person said themselves."""

    name: str
    email: str
    relation: str
    consent: Answer
    assent: Answer


def record_consent(
    *,
    session_type: str,
    email: str,
    version: str,
    acknowledgments: list[str],
    circumstances: Circumstances,
    now: datetime,
    age_band: str = "",
    guardianship: Guardianship | None = None,
    notice_version: str = "",
    reference: str = "",
) -> ConsentRecord:
    """Record that every required point of a published document was accepted; for a minor, by their guardian and them.

    Raises UnknownConsentVersion (or keeps the record and flags it, as CONSENT_UNKNOWN_VERSION says),
    AcknowledgmentMissing, GuardianConsentRequired.
    """
    if age_band == AgeBand.UNDER_18 and guardianship is None:
        raise GuardianConsentRequired(fields={"guardian": ["Please add a parent's or guardian's consent."]})
    answer = Answer(version, acknowledgments)
    document = _accepted(DocumentKind.INFORMED_CONSENT, answer, circumstances.locale, now)
    notice = published_document(
        kind=DocumentKind.PRIVACY_NOTICE, version=notice_version, locale=circumstances.locale, now=now
    )
    about: dict[str, Any] = {"session_type": session_type, "age_band": age_band, "reference": reference}
    about |= {"notice": notice, "notice_sha256": notice.sha256 if notice else ""}
    act = Act(email, ConsentMethod.CHECKBOX, circumstances, now)
    with transaction.atomic():
        consent = _give(document, answer, act, about)
        if age_band == AgeBand.UNDER_18 and guardianship is not None:
            _give_parts(consent, guardianship, act)
    return consent


def settle_consent(
    *,
    session_type: str,
    email: str,
    consent_id: UUID | None,
    accepted: bool,
    circumstances: Circumstances,
    now: datetime,
    age_band: str = "",
) -> ConsentRecord:
    """Return the consent that a booking stands on: the one named, else the newest valid, else one made from `accepted`.

    Raises ConsentRequired when there is none, or the one named is another person's or of another type; ConsentExpired
    or ConsentWithdrawn when it was this person's and is no longer valid; GuardianConsentRequired for a minor whose
    consent is not named.
    """
    if consent_id is not None:
        return _suited_to(age_band, _named(consent_id, session_type, email, now))
    if not accepted:
        raise ConsentRequired(fields={"consentAccepted": ["Please accept the consent."]})
    if age_band == AgeBand.UNDER_18:
        # Before anything is looked up: an email is no proof, and the refusal must not tell whether we know it.
        raise GuardianConsentRequired(fields={"ageBand": ["The guardian's consent and the assent come first."]})
    found = newest_valid_record(email=email, session_type=session_type, now=now)
    if found is not None:
        return found
    document = current_document(locale=circumstances.locale, now=now)
    if document is None:
        raise ConsentRequired(fields={"consentAccepted": ["There is no consent text to accept."]})
    answer = Answer(document.version, document.required_ids)
    about = {"session_type": session_type, "age_band": age_band}
    with transaction.atomic():
        return _give(document, answer, Act(email, ConsentMethod.BOOKING, circumstances, now), about)


def _named(consent_id: UUID, session_type: str, email: str, now: datetime) -> ConsentRecord:
    fields = {"consentId": ["This consent does not cover the booking."]}
    found = (
        with_state(now=now)
        .filter(
            id=consent_id,
            kind=DocumentKind.INFORMED_CONSENT,
            email_hash__in=email_digests(email),
            session_type=session_type,
        )
        .first()
    )
    if found is None or found.is_flagged:
        raise ConsentRequired(fields=fields)
    refusal = REFUSAL_OF_STATE.get(found.state)
    if refusal is not None:
        raise refusal(fields={"consentId": [refusal.sentence]})
    return found


def _suited_to(age_band: str, consent: ConsentRecord) -> ConsentRecord:
    """Let a minor's booking stand on nothing but a minor's consent: only that has guardian and assent beside it."""
    if age_band == AgeBand.UNDER_18 and consent.age_band != AgeBand.UNDER_18:
        raise GuardianConsentRequired(
            fields={"consentId": ["This consent was not given as that of somebody under 18."]}
        )
    return consent


def _accepted(kind: str, answer: Answer, locale: str, now: datetime, *, prefix: str = "") -> ConsentDocument | None:
    """Find the document that was answered; None for an unknown one that is kept all the same."""
    version_field, points_field = f"{prefix}version" if prefix else "consentVersion", f"{prefix}acknowledgments"
    document = published_document(kind=kind, version=answer.version, locale=locale, now=now)
    # A guardian's consent to nobody knows what would let a child book.
    if document is None and (prefix or settings.CONSENT_UNKNOWN_VERSION != "flag"):
        raise UnknownConsentVersion(fields={version_field: ["Unknown version of the consent text."]})
    missing = [name for name in document.required_ids if name not in answer.acknowledgments] if document else []
    if missing:
        sentence = _("Not accepted: %(points)s.") % {"points": ", ".join(missing)}
        raise AcknowledgmentMissing(fields={points_field: [sentence]})
    return document


def _give(document: ConsentDocument | None, answer: Answer, act: Act, about: dict[str, Any]) -> ConsentRecord:
    """Write a consent, as renewed where a valid one was there, and close those to older texts."""
    before = _standing(act.email, about["session_type"], act.now)
    consent = write_giving(
        document=document,
        act=act,
        event=ConsentEvent.RENEWED if before else ConsentEvent.GIVEN,
        refers_to=before[0] if before else None,
        consent_version=answer.version,
        acknowledgments=answer.acknowledgments,
        **about,
    )
    for earlier in before if document else []:
        if earlier.consent_version != answer.version:
            write_closing(closed=earlier, event=ConsentEvent.SUPERSEDED, act=act)
    return consent


def _standing(email: str, session_type: str, now: datetime) -> list[ConsentRecord]:
    """List a person's valid consents to a type of session, newest first, and let nobody else close them meanwhile."""
    rows = with_state(now=now).filter(
        email_hash__in=email_digests(email),
        session_type=session_type,
        kind=DocumentKind.INFORMED_CONSENT,
        state=ConsentState.VALID,
    )
    return list(rows.select_for_update(of=("self",)).order_by("-created_at"))


def _give_parts(consent: ConsentRecord, guardianship: Guardianship, act: Act) -> None:
    """Write the guardian's consent and the minor's assent beside the minor's consent."""
    guardian = {
        "guardian_name": guardianship.name,
        "guardian_email": guardianship.email,
        "guardian_relation": guardianship.relation,
    }
    parts: list[tuple[str, DocumentKind, Answer, dict[str, Any]]] = [
        ("guardian.", DocumentKind.GUARDIAN_CONSENT, guardianship.consent, guardian),
        ("assent.", DocumentKind.MINOR_ASSENT, guardianship.assent, {}),
    ]
    shared = {name: getattr(consent, name) for name in ("session_type", "age_band", "reference")}
    for prefix, kind, answer, columns in parts:
        write_giving(
            document=_accepted(kind, answer, act.circumstances.locale, act.now, prefix=prefix),
            act=act,
            part_of=consent,
            consent_version=answer.version,
            acknowledgments=answer.acknowledgments,
            **shared,
            **columns,
        )
