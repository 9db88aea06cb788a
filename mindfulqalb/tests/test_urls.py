"""Every address of the server, what may be done there, and what is said where nothing is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.staff.roles import COMPLIANCE_AUDITOR, FRONT_DESK, ROLES
from mindfulqalb.staff.tests.builders import PASSWORD, make_member
from mindfulqalb.staff.tokens import sign_in
from mindfulqalb.tests.role_matrix import (
    ACTIONS,
    CALLS,
    LETTERS,
    MODELS,
    PAGES,
    REGISTERED,
    actions_of_models,
    admin_pages,
    staff_calls,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

BOOKING_ID = "booking_aaaaaaaaaaaaaaaaaaaaaaaaaa"
NUMBER = "R-2026-27-0001"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
READ, WRITE, BOTH = ["GET", "HEAD"], ["POST"], ["GET", "HEAD", "POST"]
ROUTES = {
    "": READ,
    "manage/<str:token>": READ,
    "manage/<str:token>/cancel": WRITE,
    "manage/<str:token>/receipts/<slug:number>": READ,
    "manage/<str:token>/receipts/<slug:number>.pdf": READ,
    "manage/<str:token>/refund": WRITE,
    "manage/<str:token>/move": BOTH,
    "manage/<str:token>/session.ics": READ,
    "reminders/<str:token>": BOTH,
    "api/audit/keys": READ,
    "privacy": READ,
    "consent/<str:token>": READ,
    "consent/<str:token>/withdraw": WRITE,
    "consent/<str:token>/receipt.json": READ,
    "api/catalogue": READ,
    "api/availability": BOTH,
    "api/bookings": WRITE,
    "api/bookings/hold": WRITE,
    "api/bookings/<pk>": READ,
    "api/bookings/<pk>/cancel": WRITE,
    "api/bookings/<pk>/receipts/<number>": READ,
    "api/bookings/<pk>/refund": WRITE,
    "api/bookings/<pk>/reschedule": WRITE,
    "api/consent": WRITE,
    "api/consent/document": READ,
    "api/consent/receipt": READ,
    "api/consent/withdraw": WRITE,
    "api/payments/create-order": WRITE,
    "api/payments/create-checkout": WRITE,
    "api/payments/razorpay-return": WRITE,
    "api/payments/verify": WRITE,
    "api/auth/token": WRITE,
    "api/auth/refresh": WRITE,
    "api/auth/revoke": WRITE,
    "api/staff/bookings": READ,
    "api/staff/bookings/<pk>": READ,
    "api/staff/consents/export": WRITE,
    "api/webhooks/razorpay": WRITE,
    "api/webhooks/stripe": WRITE,
    "api/webhooks/calcom": WRITE,
    "api/schema": READ,
    "api/docs": READ,
    "api/health": READ,
    "metrics": READ,
    "livez": READ,
    "readyz": READ,
}
API = [route for route in ROUTES if route.startswith("api/") and route != "api/docs"]  # which is a page
ENVELOPE = sorted(InvalidInput().body)


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        # A router's regular expressions, spelt like the paths.
        text = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", str(pattern.pattern)).strip("^$")
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, prefix + text)
        else:
            yield prefix + text


def address_of(route: str) -> str:
    names = {"<pk>": BOOKING_ID, "<str:token>": "forged", "<slug:number>": NUMBER, "<number>": NUMBER}
    return "/" + re.sub(r"<[\w:]+>", lambda name: names[name[0]], route)


def _understood(client: Client, route: str) -> list[str]:
    return [
        method
        for method in METHODS
        if client.generic(method, address_of(route), b"{}", content_type="application/json").status_code != 405
    ]


def test_routes_are_these_and_no_others() -> None:
    routes = [route for route in _routes(get_resolver().url_patterns) if not route.startswith("admin/")]

    assert sorted(routes) == sorted(ROUTES)


def test_routes_of_the_admin_all_lie_under_its_address() -> None:
    roots = {route.partition("/")[0] for route in _routes(get_resolver().url_patterns)}

    assert roots == {route.partition("/")[0] for route in ROUTES} | {"admin"}


def _let_in(client: Client, route: str) -> None:
    """Show a token where staff alone are told anything at all."""
    if route.startswith("api/staff/"):
        make_member(COMPLIANCE_AUDITOR, FRONT_DESK, password=PASSWORD)
        _, pair = sign_in(username="meera", password=PASSWORD, code="", now=timezone.now())
        client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {pair.access}"


@pytest.mark.parametrize(("route", "methods"), ROUTES.items())
def test_route_understands_just_these_methods(route: str, methods: list[str], client: Client) -> None:
    _let_in(client, route)

    assert _understood(client, route) == methods


@pytest.mark.parametrize("route", API)
def test_route_of_the_api_refuses_another_method_in_the_one_shape(route: str, client: Client) -> None:
    _let_in(client, route)

    response = client.delete(address_of(route))

    assert (response.status_code, sorted(response.json()), response.json()["code"]) == (
        405,
        ENVELOPE,
        "method_not_allowed",
    )
    assert sorted({*response["Allow"].split(", ")} - {"HEAD", "OPTIONS"}) == sorted({*ROUTES[route]} - {"HEAD"})


@pytest.mark.parametrize("route", [route for route in API if "POST" in ROUTES[route]])
def test_route_of_the_api_asks_nobody_for_a_form_token(route: str) -> None:
    strict = Client(enforce_csrf_checks=True)

    response = strict.post(address_of(route), {}, content_type="application/json")

    assert response.status_code in {400, 401, 415}  # 415: a route for forms alone
    assert response.json()["code"] != "csrf_failed"


@pytest.mark.parametrize("route", ROUTES)
def test_route_sets_no_cookie(route: str, client: Client) -> None:
    assert dict(client.get(address_of(route)).cookies) == {}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/nothing",
        "/api/bookings/",
        "/api/bookings/1",
        f"/api/bookings/{BOOKING_ID}/",
        f"/api/bookings/{BOOKING_ID}/nothing",
        "/api/payments",
        "/api/webhooks/paypal",
        "/api/catalogue.json",
        "/api//catalogue",
        "/api/%00",
        "/api/" + "x" * 5_000,
    ],
)
def test_unknown_path_of_the_api_says_so_in_the_one_shape(path: str, method: str, client: Client) -> None:
    response = client.generic(method, path, b"{}", content_type="application/json")

    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    answer = response.json() if method != "HEAD" else {}
    assert method == "HEAD" or (sorted(answer), answer["code"], answer["fields"]) == (ENVELOPE, "not_found", {})


@pytest.mark.parametrize("path", ["/nothing", "/apis", "/manage", "/manage/", "/manage/a/b", "/API/catalogue"])
def test_unknown_path_elsewhere_is_a_page_with_the_helplines(path: str, client: Client) -> None:
    response = client.get(path)

    page = response.content.decode()
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert [helpline["phone"] for helpline in settings.HELPLINES if helpline["phone"] not in page] == []


# Who may go where is decided in role_matrix.py, and tried in test_role_matrix.py.


def test_every_page_of_the_admin_is_decided_for_every_role() -> None:
    assert (set(REGISTERED), admin_pages()) == (set(MODELS), set(PAGES))


def test_every_action_of_the_admin_is_decided_for_every_role() -> None:
    decided = {label: set(ACTIONS.get(label, ())) - {"delete_selected"} for label in REGISTERED}

    assert actions_of_models() == decided


def test_every_call_of_the_staff_api_is_decided_for_every_role() -> None:
    assert (staff_calls(), set(LETTERS)) == (set(CALLS), set(ROLES))
