"""End consent: by the client, as easily as it was given, and by the passing of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from consent.evidence import Act, Circumstances, write_closing
from consent.models import ConsentRecord
from consent.queries import unwithdrawn
from consent.states import GIVING, ConsentEvent, ConsentMethod
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def withdraw_consent(
    *,
    consent_id: UUID,
    circumstances: Circumstances,
    now: datetime,
    method: ConsentMethod = ConsentMethod.LINK,
    actor: str = "client",
) -> list[ConsentRecord]:
    """Withdraw all that the person behind a consent has agreed to; return the rows that say so.

    By themselves, or by staff whom they asked. It holds at once for new bookings and for whoever asks `may_process`;
    client and staff are told. Nothing is cancelled: that is for the client to say. Withdrawn before: nothing happens
    again.
    """
    consent = ConsentRecord.objects.get(id=consent_id)
    act = Act(consent.email, method, circumstances, now, actor)
    with transaction.atomic():
        given = unwithdrawn(email_hashes=email_digests(consent.email)).select_for_update(of=("self",))
        # A row lock does not show what its last holder wrote about the row; asked again, the question does.
        ids = [row.id for row in given]
        rows = [
            write_closing(closed=row, event=ConsentEvent.WITHDRAWN, act=act, reference=f"consent:{consent.id}")
            for row in unwithdrawn(email_hashes=email_digests(consent.email)).filter(id__in=ids)
        ]
        if rows:
            for topic in ("consent.withdrawn", "consent.withdrawn.staff"):
                payload = {"consent_id": str(consent.id)}
                enqueue(topic=topic, lane=f"consent:{consent.id}", payload=payload, now=now)
    return rows


def note_expiries(*, now: datetime, limit: int = 500) -> int:
    """Write down which consents have expired, once each, and return how many. They are expired without it, too."""
    with transaction.atomic():
        noted = ConsentRecord.objects.exclude(event__in=GIVING).values("refers_to")
        due = ConsentRecord.objects.filter(event__in=GIVING, is_flagged=False, valid_until__lte=now)
        rows = due.exclude(id__in=noted.filter(event__in=(ConsentEvent.EXPIRED, ConsentEvent.WITHDRAWN)))
        overdue = list(rows.order_by("valid_until").select_for_update(skip_locked=True, of=("self",))[:limit])
        for row in overdue:
            act = Act(row.email, ConsentMethod.CLOCK, Circumstances(), now, actor="system")
            write_closing(closed=row, event=ConsentEvent.EXPIRED, act=act)
    return len(overdue)
