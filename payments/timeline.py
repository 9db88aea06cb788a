"""What others know of a payment, and all that ever happened to it: what a person on the telephone asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from mindfulqalb.staff.stories import Chapter, chapters_about, in_order
from mindfulqalb.staff.words import Topic, in_words

if TYPE_CHECKING:
    from payments.models import Payment


@dataclass(frozen=True)
class Purchase:
    """What a payment bought or was made for, in words, and its page, for those who hold `permission`."""

    subject: str  # kind:<id>
    title: str
    url: str
    permission: str


Source = Callable[["Payment"], Iterable[Purchase]]
Finder = Callable[[list[str]], Q]
_sources: list[Source] = []
_finders: list[Finder] = []


def knows_what_was_bought(source: Source) -> Source:
    """Register who knows what a payment was for: apps that payments has never heard of. Newest first."""
    _sources.append(source)
    return source


def knows_clients(finder: Finder) -> Finder:
    """Register who knows the payments of clients by the blind index of their email or phone."""
    _finders.append(finder)
    return finder


def payments_of_clients(digests: list[str]) -> Q:
    """Tell which payments were made for the clients with these digests; none, where nobody knows them."""
    found = Q(pk__in=[])
    for finder in _finders:
        found |= finder(digests)
    return found


def purchases_of(payment: Payment) -> list[Purchase]:
    """List what a payment was made for, and all that it was spent on."""
    return [purchase for source in _sources for purchase in source(payment)]


def story_of(payment: Payment, purchases: Iterable[Purchase]) -> list[Chapter]:
    """Tell what happened to a payment and to what was bought with it, oldest first, without the reasons of staff."""
    subjects = [f"payment:{payment.id}", *(purchase.subject for purchase in purchases)]
    gateway = in_words(Topic.VENDOR, payment.gateway)
    asked = Chapter(payment.created_at, f"The client was asked to pay {payment.price} by {gateway}")
    return in_order([asked, *chapters_about(subjects, with_money=True, with_reasons=False)])
