"""What can go wrong on a developer's machine."""

from __future__ import annotations


class DevelopmentError(Exception):
    """Nothing to repair in the code: the sentence says what the person at the machine can do."""
