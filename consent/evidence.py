"""Write the rows of evidence: each act with all that makes it one, and its audit event, in the caller's transaction."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from consent.models import ConsentRecord
from mindfulqalb.audit.services import record
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.retention.timetable import expiry

if TYPE_CHECKING:
    from datetime import datetime

    from consent.models import ConsentDocument
    from consent.states import ConsentEvent, ConsentMethod


@dataclass(frozen=True)
class Circumstances:
    """What our server saw while consent was given. `claimed_address` is the browser's own word, and only that."""

    address: str = ""
    address_source: str = "none"
    user_agent: str = ""
    claimed_address: str = ""
    locale: str = "en"
    control_label: str = ""


@dataclass(frozen=True)
class Act:
    """Who did something, how and when; `actor` is client, system or staff:<id>."""

    email: str
    method: ConsentMethod
    circumstances: Circumstances
    now: datetime
    actor: str = "client"


def write_giving(*, document: ConsentDocument | None, act: Act, **columns: Any) -> ConsentRecord:
    """Write that consent was given (or renewed, as `columns` say) to a document, or to none that we know."""
    consent = ConsentRecord.objects.create(
        **{"kind": document.kind} if document else {},
        **columns,
        **_seen(act),
        email=act.email,
        email_hash=email_digest(act.email),
        expires_at=expiry(kind="consent", now=act.now),
        valid_until=act.now + timedelta(days=settings.CONSENT_VALID_DAYS),
        document=document,
        document_sha256=document.sha256 if document else "",
        is_flagged=document is None,
        locale=document.locale if document else act.circumstances.locale[:10],
    )
    _note(consent, act.now, {"version": consent.consent_version})
    return consent


def write_closing(*, closed: ConsentRecord, event: ConsentEvent, act: Act, reference: str = "") -> ConsentRecord:
    """Write what ended a given consent; the given row stays as it is."""
    copied = ("session_type", "email_hash", "consent_version", "kind", "document", "document_sha256", "locale", "email")
    closing = ConsentRecord.objects.create(
        **{name: getattr(closed, name) for name in (*copied, "is_flagged", "age_band")},
        **_seen(act),
        event=event,
        refers_to=closed,
        part_of_id=closed.part_of_id,
        acknowledgments=[],
        # Who gave and took back must be found beside each other: the later act never goes first.
        expires_at=max(closed.expires_at, expiry(kind="consent", now=act.now)),
        valid_until=act.now,
        reference=reference,
    )
    _note(closing, act.now, {"closes": str(closed.id)})
    return closing


def shortened(address: str) -> str | None:
    """Cut an address to its network (/24 or /48), so that lists do not point at one household."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    prefix = 24 if parsed.version == 4 else 48  # noqa: PLR2004  (IPv4)
    return str(ipaddress.ip_network((parsed, prefix), strict=False).network_address)


def _seen(act: Act) -> dict[str, Any]:
    seen = act.circumstances
    return {
        "ip_address": shortened(seen.address),
        "full_ip_address": seen.address or None,
        "ip_address_source": seen.address_source,
        "claimed_ip_address": seen.claimed_address or None,
        "user_agent": seen.user_agent or None,
        "control_label": seen.control_label,
        "request_id": current_request_id(),
        "created_at": act.now,
        "method": act.method,
        "actor": act.actor,
    }


def _note(consent: ConsentRecord, now: datetime, details: dict[str, Any]) -> None:
    record(
        action=f"consent.{consent.event}",
        actor=consent.actor,
        target=f"consent:{consent.id}",
        now=now,
        details=details | {"document_sha256": consent.document_sha256, "method": consent.method},
        evidence=consent,
    )
