"""The one error that gateways, calendars and the mail server raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class ProviderError(Exception):
    """A vendor could not or would not do what it was asked.

    `permanent` answers the only question that a caller has: is there any use in asking again? A lost answer is not
    permanent, and it does not mean that nothing was done. The message must hold no personal data: it is logged and
    stored.
    """

    def __init__(self, message: str, *, permanent: bool, retry_after: timedelta | None = None) -> None:
        """Keep the vendor's wish to be left alone for `retry_after`, where it uttered one."""
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
