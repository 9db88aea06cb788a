"""The only place where an HTTP session to a vendor is made."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ReadTimeoutError
from urllib3.util import Retry

from mindfulqalb.observability.metrics import VENDOR_SECONDS, timed
from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.vendors.deadlines import POOLS, Deadline, is_over

POOL_SIZE = 32


class BoundedAdapter(HTTPAdapter):
    """An adapter that never waits for ever, whatever the caller, or an SDK, forgot to say.

    All tries of a call, with the reading of its body, take no longer than connecting once and reading twice may.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have connections that a deadline can cut."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Send with the settings' timeouts unless the call brought its own."""
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = settings.VENDOR_TIMEOUT
        if request_id := current_request_id():
            request.headers.setdefault("X-Request-ID", request_id)
        vendor = urlsplit(request.url or "").hostname or ""
        with timed(VENDOR_SECONDS, vendor) as note:
            response = self._send_in_time(request, **kwargs)
            note(f"{response.status_code // 100}xx")
        return response

    def _send_in_time(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        seconds = _longest(kwargs["timeout"])
        broken: requests.RequestException | None = None
        with Deadline(seconds) as deadline:
            try:
                response = super().send(request, **kwargs)
                if not kwargs.get("stream"):
                    _ = response.content  # read here, where time is counted
            except requests.RequestException as error:
                broken = error
        # What was cut may look like a whole answer where its length was not told.
        if deadline.is_over:
            raise requests.ReadTimeout(f"no whole answer in {seconds:g} s", request=request) from broken
        if broken is not None:
            raise broken
        return response


def _longest(timeout: float | tuple[float, float]) -> float:
    connecting, reading = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    return connecting + 2 * reading


class BriefRetry(Retry):
    """Retries for what fails at once; a call that waited for its answer in vain has had its time."""

    def increment(  # type: ignore[override]  # all that follows `url` is given by name
        self, method: str | None = None, url: str | None = None, *, error: Exception | None = None, **kwargs: Any
    ) -> BriefRetry:
        """Count a failure, or give up on an answer that does not come."""
        if error is not None and (isinstance(error, ReadTimeoutError) or is_over()):
            raise error
        return super().increment(method, url, error=error, **kwargs)


def vendor_session(*, get_retries: int = 2) -> requests.Session:
    """Make a session with timeouts always, retries for GET only, current CA certificates, and nothing from `.netrc`.

    A POST is never repeated here: whether it may be is a question about money or a calendar, and not about HTTP. Nor is
    a vendor's Retry-After slept out, which may be hours: that is for whoever can come back.
    """
    retries = BriefRetry(
        total=get_retries,
        read=None if get_retries else False,  # without retries a timeout keeps its own name
        backoff_factor=0.2,
        allowed_methods={"GET"},
        status_forcelist={502, 503, 504},
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    session = requests.Session()
    session.trust_env = False
    session.verify = certifi.where()
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(max_retries=retries, pool_maxsize=POOL_SIZE))
    return session
