"""What a failed attempt means: what may be written down about it, and when to try again."""

from __future__ import annotations

import traceback
from datetime import timedelta
from pathlib import PurePath
from secrets import SystemRandom

from mindfulqalb.vendors.errors import ProviderError

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
LONGEST_DESCRIPTION = 500
_chance = SystemRandom()


def describe(failure: Exception) -> str:
    """Describe a failure without personal data.

    A vendor's error was written by our adapter and may be quoted. Of any other only the class and the innermost place
    are kept: its message may quote the very row that it stumbled over.
    """
    name = type(failure).__name__
    if isinstance(failure, ProviderError):
        return _printable(f"{name}: {failure}")[:LONGEST_DESCRIPTION]
    *_, innermost = traceback.extract_tb(failure.__traceback__)
    place = "/".join(PurePath(innermost.filename).parts[-2:])
    return f"{name} at {place}:{innermost.lineno}"


def is_permanent(failure: Exception) -> bool:
    """Tell whether there is no use in trying again."""
    return isinstance(failure, ProviderError) and failure.permanent


def backoff(*, attempts: int) -> timedelta:
    """Double the pause with every attempt: 5 s, 10 s, 20 s ... one hour."""
    doublings = min(attempts - 1, 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def pause_after(failure: Exception, *, attempts: int) -> timedelta:
    """Wait for the backoff less up to a fifth, so that failures of one moment do not return in one moment.

    Never less than a vendor asked for.
    """
    pause = backoff(attempts=attempts) * _chance.uniform(0.8, 1.0)
    asked_for = failure.retry_after if isinstance(failure, ProviderError) else None
    return max(pause, asked_for or timedelta(0))


def _printable(text: str) -> str:
    # PostgreSQL takes neither NUL nor half a surrogate pair.
    return "".join(character if character.isprintable() else " " for character in text)
