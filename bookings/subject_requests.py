"""Correct who a client is, for whoever asks staff to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.services.particulars import correct_client
from mindfulqalb.subject_requests.answers import answers_to
from mindfulqalb.subject_requests.states import RequestKind

if TYPE_CHECKING:
    from mindfulqalb.subject_requests.answers import Asked


@answers_to(RequestKind.CORRECTION)
def correct_as_asked(asked: Asked) -> int:
    """Correct all of their bookings."""
    return correct_client(
        email=asked.email, corrected=asked.particulars, actor=asked.actor, reason=asked.reason, now=asked.now
    )
