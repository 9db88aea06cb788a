"""Read from a request what our server saw while consent was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent.evidence import Circumstances
from mindfulqalb.api.addresses import client_address

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request


def circumstances_of(
    request: Request | HttpRequest,
    *,
    claimed_address: str = "",
    user_agent: str = "",
    locale: str = "en",
    control_label: str = "",
) -> Circumstances:
    """Gather the evidence; a user agent in the body stands in only where the header is missing."""
    address = client_address(request)
    return Circumstances(
        address=address.ip,
        address_source=address.derivation,
        user_agent=(request.headers.get("User-Agent") or user_agent)[:1000],
        claimed_address=claimed_address,
        locale=locale,
        control_label=control_label,
    )
