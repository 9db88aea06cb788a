"""The client's address comes from whom we trust, and from nobody else."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.api.addresses import ClientAddress, client_address

if TYPE_CHECKING:
    from pytest_django import Settings


def address_of(*, peer: str = "10.0.0.1", forwarded: str | None = None) -> ClientAddress:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


def test_without_a_proxy_the_header_is_anybody_s_word(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    assert address_of(forwarded="203.0.113.7") == ClientAddress("10.0.0.1", "peer")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7,10.0.0.2", "203.0.113.7"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "[2001:DB8::1]:4711", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:db8:0:0::1", "2001:db8::1"),
        (1, "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        (1, "fe80::1%eth0", "fe80::1"),
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_behind_proxies_the_entry_that_ours_wrote_counts(
    settings: Settings, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    assert address_of(forwarded=forwarded) == ClientAddress(expected, "forwarded")


@pytest.mark.parametrize(
    "forwarded", [None, "", "unknown", "6.6.6.6, ", "6.6.6.6,x", "999.1.1.1", "\u0661.1.1.1", "1:2"]
)
def test_an_unusable_header_falls_back_on_the_peer_and_says_so(settings: Settings, forwarded: str | None) -> None:
    settings.TRUSTED_PROXY_COUNT = 1

    assert address_of(forwarded=forwarded) == ClientAddress("10.0.0.1", "peer, forwarded header unusable")


def test_a_header_shorter_than_the_chain_of_proxies_is_unusable(settings: Settings) -> None:
    settings.TRUSTED_PROXY_COUNT = 2

    assert address_of(forwarded="6.6.6.6").derivation == "peer, forwarded header unusable"


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_unix_socket_has_no_address(settings: Settings, proxies: int) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    assert address_of(peer="") == ClientAddress("", "unknown")


def test_an_ipv6_household_is_one_network() -> None:
    assert ClientAddress("2001:db8:0:1:aaaa::1", "peer").network == "2001:db8:0:1::/64"
    assert ClientAddress("2001:db8:0:1::2", "peer").network == "2001:db8:0:1::/64"
    assert ClientAddress("2001:db8:0:2::2", "peer").network == "2001:db8:0:2::/64"
    assert ClientAddress("203.0.113.7", "peer").network == "203.0.113.7"
    assert ClientAddress("", "unknown").network == ""


@given(st.ip_addresses(), st.text())
def test_an_address_never_comes_from_further_left(address: ipaddress.IPv4Address, noise: str) -> None:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=f"{noise},{address}", REMOTE_ADDR="10.0.0.1")

    with override_settings(TRUSTED_PROXY_COUNT=1):
        found = client_address(request)
    assert found.derivation == "forwarded"
    assert found.ip == str(getattr(address, "ipv4_mapped", None) or address).partition("%")[0]


@given(st.text(), st.text())
def test_no_header_is_too_odd(forwarded: str, peer: str) -> None:
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR=peer)
    with override_settings(TRUSTED_PROXY_COUNT=2):
        found = client_address(request)
    assert found.ip == "" or ipaddress.ip_address(found.ip)
    assert len(found.ip) <= 45
