"""Who is calling, as far as the network can tell."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

# `203.0.113.7:4711` and `[2001:db8::1]:4711`: some proxies add the port.
_WITH_PORT = re.compile(r"(?:\[(?P<v6>[^\]]*)\]|(?P<v4>[\d.]+))(?::\d{1,5})?")


@dataclass(frozen=True)
class ClientAddress:
    """An IP address in canonical form ("" when unknown) and how we came by it, for those who weigh it as evidence.

    `derivation` is `peer` (the TCP connection's other end), `forwarded` (our trusted proxy named it), `peer, forwarded
    header unusable` or `unknown`.
    """

    ip: str
    derivation: str

    @property
    def network(self) -> str:
        """The /64 of an IPv6 address, the least that a household or an attacker has; an IPv4 address itself."""
        if ":" not in self.ip:
            return self.ip
        return str(ipaddress.ip_network(f"{self.ip}/64", strict=False))


def client_address(request: HttpRequest | Request) -> ClientAddress:
    """Derive the client's address, trusting exactly TRUSTED_PROXY_COUNT proxies in front of us.

    With n proxies it is the nth entry from the right of X-Forwarded-For; whatever stands further left, anybody could
    have written. WSGI cannot tell `X_Forwarded_For` from the real one: `mindfulqalb.serving` drops headers spelt so;
    where another server runs us, the innermost proxy must (nginx does).
    """
    peer = _canonical(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXY_COUNT
    if not proxies:
        return ClientAddress(peer, "peer" if peer else "unknown")
    entries = request.headers.get("X-Forwarded-For", "").rsplit(",", proxies)
    forwarded = _canonical(entries[-proxies]) if len(entries) >= proxies else ""
    if forwarded:
        return ClientAddress(forwarded, "forwarded")
    return ClientAddress(peer, "peer, forwarded header unusable" if peer else "unknown")


def _canonical(text: str) -> str:
    match = _WITH_PORT.fullmatch(text.strip())
    try:
        address = ipaddress.ip_address((match["v6"] or match["v4"]) if match else text.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
