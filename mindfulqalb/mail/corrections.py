"""An address turned out to be wrong: whoever keeps it registers here what else a corrected one changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

Rewrite = Callable[[str], str]


@dataclass(frozen=True)
class Correction:
    """A mail about `kind:<id>` that went to the address of this digest goes to `recipient` now."""

    mail_id: UUID
    about: str
    was: str
    recipient: str
    actor: str
    reason: str
    now: datetime


Corrector = Callable[[Correction], Rewrite | None]
correctors: dict[str, Corrector] = {}


def corrects(*kinds: str) -> Callable[[Corrector], Corrector]:
    """Register what follows from a corrected address for mails about these kinds.

    It runs in the transaction that asks for the copy, may raise a Refusal, and returns what to do to the copy's words;
    None where it has nothing to correct: then no copy goes anywhere.
    """

    def register(corrector: Corrector) -> Corrector:
        correctors.update(dict.fromkeys(kinds, corrector))
        return corrector

    return register


def correct_address(correction: Correction) -> Rewrite | None:
    """Have it corrected where it is kept, and return how the copy's words change; None where nobody keeps it."""
    corrector = correctors.get(correction.about.partition(":")[0])
    return corrector(correction) if corrector else None
