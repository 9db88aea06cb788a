"""What is sold, for those who only look: remembered for moments, because a calendar page asks for it all the time."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from mindfulqalb.catalogue.queries import find_offer

if TYPE_CHECKING:
    from mindfulqalb.catalogue.models import SessionOffer

SHOWN_SECONDS = 5.0


def offer_on_show(*, session_type: str, session_format: str | None) -> SessionOffer:
    """Find an offer as find_offer does, at most five seconds old; whoever sells must ask find_offer.

    Raises UnknownSession, which is never remembered.
    """
    return found_lately(session_type, session_format, int(time.monotonic() // SHOWN_SECONDS))


@lru_cache(maxsize=64)
def found_lately(session_type: str, session_format: str | None, _moment: int) -> SessionOffer:
    """Find it once in each span of time, per process."""
    return find_offer(session_type=session_type, session_format=session_format)
