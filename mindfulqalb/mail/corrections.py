"""An address turned out to be wrong: whoever keeps it registers here what else a corrected one changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Rewrite = Callable[[str], str]


@dataclass(frozen=True)
class Correction:
    """A mail about `kind:<id>` that went to the address of this digest goes to `recipient` now."""

    about: str
    was: str
    recipient: str
    actor: str
    now: datetime


Corrector = Callable[[Correction], Rewrite]
correctors: dict[str, Corrector] = {}


def corrects(*kinds: str) -> Callable[[Corrector], Corrector]:
    """Register what follows from a corrected address for mails about these kinds.

    It runs in the transaction that asks for the copy, may raise a Refusal, and returns what to do to the copy's words.
    """

    def register(corrector: Corrector) -> Corrector:
        correctors.update(dict.fromkeys(kinds, corrector))
        return corrector

    return register


def correct_address(correction: Correction) -> Rewrite:
    """Have it corrected where it is kept, and return how the copy's words change."""
    corrector = correctors.get(correction.about.partition(":")[0])
    return corrector(correction) if corrector else str
