"""`/api/auth/...` from the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import path
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from mindfulqalb.api import throttles
from mindfulqalb.api.throttles import Outage
from mindfulqalb.staff.authentication import HasStaffPermission, StaffTokenAuthentication
from mindfulqalb.staff.models import KnownDevice
from mindfulqalb.staff.roles import FINANCE, FRONT_DESK
from mindfulqalb.staff.second_factor import code_at
from mindfulqalb.staff.tests.builders import PASSWORD, make_authenticator, make_member

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.request import Request

pytestmark = pytest.mark.django_db

WRONG = {"username": "meera", "password": "wrong"}
RIGHT = {"username": "meera", "password": PASSWORD}


class MoneyView(APIView):
    authentication_classes = [StaffTokenAuthentication]
    permission_classes = [HasStaffPermission]
    required_permission = "payments.view_payment"

    def get(self, request: Request) -> Response:
        return Response({"who": request.user.get_username()})


urlpatterns = [path("api/money", MoneyView.as_view())]


def post(call: str, body: dict[str, Any], **headers: str) -> Any:
    return APIClient().post(f"/api/auth/{call}", body, headers=headers)


def test_sign_in_refresh_and_sign_out() -> None:
    make_member(password=PASSWORD)

    first = post("token", RIGHT)
    second = post("refresh", {"refreshToken": first.json()["refreshToken"]})
    out = post("revoke", {"refreshToken": second.json()["refreshToken"]})
    after = post("refresh", {"refreshToken": second.json()["refreshToken"]})

    assert sorted(first.json()) == ["accessToken", "expiresIn", "refreshToken", "tokenType"]
    assert (first.json()["tokenType"], first.json()["expiresIn"], first["Cache-Control"]) == ("Bearer", 600, "no-store")
    assert [first.status_code, second.status_code, out.status_code, after.status_code] == [200, 200, 200, 401]
    assert (out.json(), after.json()["code"]) == ({"success": True}, "invalid_token")


def test_sign_in_with_the_second_factor() -> None:
    authenticator = make_authenticator(make_member(password=PASSWORD))

    asked = post("token", RIGHT)
    given = post("token", {**RIGHT, "code": code_at(authenticator, timezone.now())})

    assert (asked.status_code, asked.json()["code"], list(asked.json()["fields"])) == (
        401,
        "second_factor_required",
        ["code"],
    )
    assert (given.status_code, KnownDevice.objects.count()) == (200, 1)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["password", "username"]),
        ({"username": "meera"}, ["password"]),
        ({"username": "x" * 151, "password": "x"}, ["username"]),
        ({"username": ["meera"], "password": {"$ne": ""}}, ["password", "username"]),
        ({**RIGHT, "code": "1" * 41}, ["code"]),
    ],
)
def test_bad_input_names_the_field(body: dict[str, Any], fields: list[str]) -> None:
    answer = post("token", body)

    assert (answer.status_code, sorted(answer.json()["fields"])) == (400, fields)


def test_guessing_is_slowed_down_per_account_whatever_the_address_claims() -> None:
    make_member(password=PASSWORD)

    answers = [post("token", WRONG, X_Forwarded_For=f"203.0.113.{number}") for number in range(11)]
    right = post("token", RIGHT)

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert (right.status_code, right.json()["code"], int(right["Retry-After"]) > 0) == (429, "too_many_requests", True)


def test_guessing_over_many_accounts_is_slowed_down_per_address() -> None:
    answers = [post("token", {**WRONG, "username": f"staff{number}"}).status_code for number in range(31)]

    assert answers == [401] * 30 + [429]


def test_nobody_gets_in_while_nobody_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    make_member(password=PASSWORD)
    broken = Outage()
    broken.begin()
    monkeypatch.setattr(throttles, "outage", broken)

    answer = post("token", RIGHT)

    assert (answer.status_code, answer.json()["code"], answer.has_header("Retry-After")) == (503, "unavailable", True)


@pytest.mark.parametrize(
    ("role", "header", "status", "code"),
    [
        (FINANCE, "Bearer {token}", 200, None),
        (FINANCE, "bearer {token}", 200, None),
        (FRONT_DESK, "Bearer {token}", 403, "forbidden"),
        (FINANCE, "", 401, "unauthorized"),
        (FINANCE, "Bearer", 401, "unauthorized"),
        (FINANCE, "Basic {token}", 401, "unauthorized"),
        (FINANCE, "Bearer {token}x", 401, "invalid_token"),
    ],
)
def test_staff_call_wants_a_token_and_the_role(
    role: str, header: str, status: int, code: str | None, settings: Settings
) -> None:
    make_member(role, password=PASSWORD)
    token = post("token", RIGHT).json()["accessToken"]
    settings.ROOT_URLCONF = __name__

    answer = APIClient().get("/api/money", headers={"Authorization": header.format(token=token)})

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert (answer.status_code == 401) is answer.has_header("WWW-Authenticate")
