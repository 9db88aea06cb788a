"""Withdraw for whoever asks staff to: by the same service as the button behind their link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.evidence import Circumstances
from consent.queries import unwithdrawn
from consent.states import ConsentMethod
from consent.withdrawal import withdraw_consent
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.subject_requests.answers import answers_to
from mindfulqalb.subject_requests.states import RequestKind

if TYPE_CHECKING:
    from mindfulqalb.subject_requests.answers import Asked


@answers_to(RequestKind.WITHDRAWAL)
def withdraw_as_asked(asked: Asked) -> int:
    """Withdraw all that they have agreed to; they and the practice are told by mail."""
    given = unwithdrawn(email_hashes=email_digests(asked.email)).order_by("created_at").last()
    if given is None:
        return 0
    return len(
        withdraw_consent(
            consent_id=given.id,
            circumstances=Circumstances(),
            now=asked.now,
            method=ConsentMethod.REQUEST,
            actor=asked.actor,
        )
    )
