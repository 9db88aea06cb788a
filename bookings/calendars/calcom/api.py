"""One call to Cal.com: within the budget, bounded in time, never repeated where it may have written something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings

from bookings.calendars.base import CalendarBusy
from bookings.calendars.calcom.answers import data_of
from bookings.calendars.calcom.budget import EVERYTHING
from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.vendors.sessions import vendor_session

if TYPE_CHECKING:
    from bookings.calendars.calcom.budget import CallBudget


class CalcomApi:
    """The door to Cal.com."""

    def __init__(self, *, url: str, key: str, budget: CallBudget) -> None:
        """Make one per process: it keeps connections. Nothing is repeated below it, where nobody would count it."""
        self._url = url.rstrip("/")
        self._budget = budget
        self._session = vendor_session(get_retries=0)
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(
        self,
        method: str,
        path: str,
        *,
        version: str,
        share: float = EVERYTHING,
        timeout: float | None = None,
        **options: Any,
    ) -> Any:
        """Make one call, within a share of the budget, and return the envelope's data. Raises ProviderError."""
        limits = (settings.VENDOR_TIMEOUT[0], timeout) if timeout else None
        options |= {"headers": {"cal-api-version": version}, "timeout": limits, "allow_redirects": False}
        try:
            response = self._send(method, path, share, options)
        except requests.RequestException as error:
            raise ProviderError(f"cal.com did not answer {path}: {type(error).__name__}", permanent=False) from error
        try:
            return data_of(response, path)
        except CalendarBusy as busy:
            self._budget.pause(busy.retry_after)
            raise

    def _send(self, method: str, path: str, share: float, options: dict[str, Any]) -> requests.Response:
        """Send; a question on a connection that they have closed meanwhile is asked once more."""
        self._budget.spend(share=share)
        try:
            return self._session.request(method, f"{self._url}/v2/{path}", **options)
        except requests.ConnectionError as error:
            if method != "GET" or isinstance(error, requests.Timeout):
                raise
        self._budget.spend(share=share)
        return self._session.request(method, f"{self._url}/v2/{path}", **options)
