"""Who asks too often waits; whoever asks while Redis is away does not, unless the door must stay shut."""

from __future__ import annotations

import random
import socket
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from mindfulqalb.api import throttles
from mindfulqalb.api.throttles import AddressThrottle, EmailThrottle, Outage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings
    from rest_framework.request import Request


class LoginThrottle(AddressThrottle):
    scope = "login"
    fail_open = False


class BookingView(APIView):
    throttle_classes = [AddressThrottle, EmailThrottle]
    throttle_scope = "booking"

    def post(self, request: Request) -> Response:
        return Response({"success": True})


class LoginView(BookingView):
    throttle_classes = [LoginThrottle]


@pytest.fixture(autouse=True)
def limits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = {"booking": "3/m", "login": "3/m", "email": "2/h", "email_anywhere": "4/h"}
    monkeypatch.setattr(throttles, "outage", Outage())


@pytest.fixture
def dead_redis(settings: Settings) -> Iterator[socket.socket]:
    """Point the cache at a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        location = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        options = {"socket_timeout": 0.05, "socket_connect_timeout": 0.05}
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": location, "OPTIONS": options}}
        yield server


def an_address() -> str:
    """Make up an address that no earlier run has asked from."""
    return ".".join(str(random.randrange(256)) for _ in range(4))


def an_email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def post(*, view: type[APIView] = BookingView, address: str, body: Any = None) -> Any:
    request = APIRequestFactory().post("/", body or {}, "json", REMOTE_ADDR=address)
    return view.as_view()(request)


def statuses(times: int, **request: Any) -> list[int]:
    return [post(**request).status_code for _ in range(times)]


def test_an_address_is_let_through_up_to_its_limit() -> None:
    address = an_address()

    assert statuses(4, address=address) == [200, 200, 200, 429]
    assert statuses(1, address=an_address()) == [200]


def test_a_refusal_says_when_to_come_back() -> None:
    address = an_address()
    statuses(3, address=address)

    response = post(address=address)

    assert response.data["code"] == "too_many_requests"
    assert 1 <= int(response["Retry-After"]) <= 60


def test_scopes_are_counted_apart() -> None:
    address = an_address()

    assert statuses(3, address=address) == [200, 200, 200]
    assert statuses(4, view=LoginView, address=address) == [200, 200, 200, 429]


def test_an_ipv6_household_is_counted_as_one() -> None:
    prefix = f"2001:db8:{random.randrange(65536):x}:{random.randrange(65536):x}"

    assert [post(address=f"{prefix}::{number}").status_code for number in range(1, 5)] == [200, 200, 200, 429]


def test_a_made_up_header_makes_no_new_caller() -> None:
    address = an_address()
    forged = [
        APIRequestFactory().post("/", {}, "json", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=an_address())
        for _ in range(4)
    ]

    assert [BookingView.as_view()(request).status_code for request in forged] == [200, 200, 200, 429]


@pytest.mark.parametrize("wrap", [lambda email: {"email": email}, lambda email: {"customer": {"email": email}}])
def test_an_email_is_counted_per_network_whatever_its_spelling(wrap: Any) -> None:
    email, address = an_email(), an_address()
    spellings = [email, email.upper(), f" {email} "]

    assert [post(address=address, body=wrap(text)).status_code for text in spellings] == [200, 200, 429]
    assert statuses(1, address=an_address(), body=wrap(email)) == [200]


def test_an_email_is_counted_everywhere_against_a_wider_limit() -> None:
    body = {"email": an_email()}

    assert [post(address=an_address(), body=body).status_code for _ in range(5)] == [200] * 4 + [429]


def test_who_is_refused_at_one_place_uses_up_nobodys_share_elsewhere() -> None:
    body, flooding = {"email": an_email()}, an_address()

    flood = statuses(20, address=flooding, body=body)

    assert (flood.count(200), statuses(2, address=an_address(), body=body)) == (2, [200, 200])


@pytest.mark.parametrize("email", [None, "", "  ", 5, ["a@b.com"], {"a": 1}, "x" * 255, True])
@pytest.mark.parametrize("wrap", [lambda email: {"email": email}, lambda email: {"customer": {"email": email}}])
def test_what_is_no_email_is_left_to_the_serializer(email: Any, wrap: Any) -> None:
    assert [post(address=an_address(), body=wrap(email)).status_code for _ in range(3)] == [200, 200, 200]


def test_a_body_that_cannot_be_read_is_counted_and_refused() -> None:
    address = an_address()
    requests = [
        APIRequestFactory().generic("POST", "/", "{", "application/json", REMOTE_ADDR=address) for _ in range(4)
    ]

    # The address is counted first; the email's throttle then stumbles over the body.
    assert [BookingView.as_view()(request).status_code for request in requests] == [400, 400, 400, 400]
    assert statuses(1, address=address) == [429]


def test_a_window_s_edge_does_not_double_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1_800_000_000.0
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: clock))
    answers = []
    for offset in range(60):
        address = an_address()
        clock = 1_800_000_000.0 + offset
        answers.append(statuses(3, address=address))
        clock += 2
        answers.append(statuses(1, address=address))

    assert answers == [[200, 200, 200], [429]] * 60


def test_a_caller_who_waited_is_let_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1_800_000_000.0
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: clock))
    address = an_address()
    statuses(3, address=address)

    clock += int(post(address=address)["Retry-After"]) + 1

    assert statuses(1, address=address) == [200]


def test_a_period_may_be_several_units(settings: Settings) -> None:
    settings.RATE_LIMITS = {"booking": "1/10m", "email": "9/2d"}
    address = an_address()

    assert statuses(2, address=address) == [200, 429]


@pytest.mark.parametrize("rate", ["", "60", "m", "60/x", "60/minute", "-1/m", "1.5/m"])
def test_a_rate_that_cannot_be_read_names_its_scope(settings: Settings, rate: str) -> None:
    settings.RATE_LIMITS = {"booking": rate}

    with pytest.raises(ImproperlyConfigured, match="booking"):
        post(address=an_address())


@pytest.mark.usefixtures("dead_redis")
def test_without_redis_a_booking_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    assert statuses(5, address=an_address(), body={"email": an_email()}) == [200] * 5

    # Asked once, and then left alone for a while.
    assert [record.getMessage() for record in caplog.records if record.name == throttles.__name__] == [
        "Redis does not count requests: open doors stay open, closed ones shut"
    ]


@pytest.mark.usefixtures("dead_redis")
def test_without_redis_a_login_is_refused_for_a_while() -> None:
    first, second = post(view=LoginView, address=an_address()), post(view=LoginView, address=an_address())

    assert [(answer.status_code, answer.data["code"], answer["Retry-After"]) for answer in (first, second)] == [
        (503, "unavailable", "30")
    ] * 2


def test_a_refused_connection_is_an_outage_too(settings: Settings) -> None:
    location = {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": settings.CACHES["default"] | location}

    assert statuses(1, address=an_address()) == [200]


def test_redis_is_asked_again_after_a_pause(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 100.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    throttles.outage.begin()
    address = an_address()

    assert statuses(5, address=address) == [200] * 5
    clock += Outage.PAUSE_SECONDS
    assert statuses(4, address=address) == [200, 200, 200, 429]
