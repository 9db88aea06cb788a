"""What is done when a request is answered: the apps that keep the data say so, each in a module `subject_requests`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.subject_requests.states import RequestKind


@dataclass(frozen=True)
class Particulars:
    """Name, email and phone as they should be, or of the person who is nominated; empty is not said."""

    name: str = ""
    email: str = ""
    phone: str = ""

    @property
    def are_given(self) -> bool:
        """Whether anything is said."""
        return bool(self.name or self.email or self.phone)


@dataclass(frozen=True)
class Asked:
    """What a verified person asks, and who of the staff answers it."""

    email: str
    particulars: Particulars
    actor: str
    reason: str
    now: datetime


# Returns how many rows it was about; runs in the transaction that puts the answer on record, and may raise a Refusal.
Answer = Callable[[Asked], int]
answers: dict[str, Answer] = {}


def answers_to(kind: RequestKind) -> Callable[[Answer], Answer]:
    """Register what answers a kind of request."""

    def register(answer: Answer) -> Answer:
        if answers.setdefault(kind, answer) is not answer:
            raise ValueError(f"requests of the kind {kind!r} are answered already")
        return answer

    return register
