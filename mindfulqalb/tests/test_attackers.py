"""What an attacker would try over the wire, each a test: ELSEWHERE names those that stand closer to what guards."""

from __future__ import annotations

import json
import re
import select
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.links import token_of
from bookings.models import Booking
from bookings.practice_time import clock_text, local
from bookings.tests.builders import make_catalogue, make_upcoming, next_slot
from consent.links import consent_token
from consent.models import ConsentRecord
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.api.tokens import Claims, issue_token
from mindfulqalb.observability.logging import JsonFormatter, LineFormatter
from mindfulqalb.staff.tests.builders import PASSWORD, make_member
from mindfulqalb.tests.test_urls import ROUTES, address_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

# Where, from the folder above, and which test.
ELSEWHERE = {
    "refresh token used twice": (
        "mindfulqalb/staff/tests/test_tokens.py",
        "refresh_spent_twice_ends_all_tokens_and_sessions",
    ),
    "forged token": ("mindfulqalb/api/tests/test_tokens.py", "the_algorithm_is_not_the_token_s_choice"),
    "token for another audience": ("mindfulqalb/api/tests/test_tokens.py", "a_token_is_good_for_its_audience_only"),
    "guessing passwords behind a forged X-Forwarded-For": (
        "mindfulqalb/staff/tests/test_auth_api.py",
        "guessing_is_slowed_down_per_account_whatever_the_address_claims",
    ),
    "X_Forwarded_For": (
        "mindfulqalb/serving/tests/test_whole_requests.py",
        "header_spelt_with_an_underscore_cannot_pass_for_another",
    ),
    "cancelling at Cal.com under no name, minutes before, for all of the money": (
        "bookings/tests/test_late_changes.py",
        "cancelled_late_by_somebody_unknown_gives_what_the_rules_give_and_asks_staff",
    ),
    "cancelling at Cal.com at the end of the session": (
        "bookings/tests/test_late_changes.py",
        "cancelled_after_it_began_moves_no_money_and_asks_staff",
    ),
    "moving to next week at Cal.com, and cancelling here": (
        "bookings/tests/test_late_changes.py",
        "late_move_by_nobody_of_the_practice_wins_no_notice",
    ),
    "order kept from before a rise of prices": (
        "payments/tests/test_outdated_orders.py",
        "outdated_order_is_kept_for_a_person_and_can_go_back",
    ),
    "open redirect through successUrl": ("payments/tests/test_return_urls.py", "any_other_address_is_refused_by_name"),
    "formula in a CSV": ("consent/tests/test_exports.py", "csv_lets_no_spreadsheet_run_what_a_client_sent"),
    "header in a mail": ("mindfulqalb/mail/tests/test_sending.py", "context_cannot_carry_a_header_or_a_second_mail"),
    "recipients in an address": (
        "mindfulqalb/mail/tests/test_sending.py",
        "recipient_cannot_carry_a_header_or_a_second_recipient",
    ),
    "oversize body": ("mindfulqalb/api/tests/test_middleware.py", "a_declared_body_is_taken_up_to_its_limit"),
    "endless body": (
        "mindfulqalb/serving/tests/test_whole_requests.py",
        "body_of_unknown_length_is_taken_no_further_than_its_limit",
    ),
    "asking as a minor whether an email is a client's": (
        "bookings/tests/test_strangers.py",
        "hold_says_the_same_whether_we_know_the_email_at_every_age",
    ),
    "asking by email for somebody's free call, and when it is": (
        "bookings/tests/test_free_calls.py",
        "time_is_refused_alike_whether_there_is_a_free_call",
    ),
    "a free call in the name of somebody who has one": (
        "bookings/tests/test_free_calls.py",
        "who_proves_nothing_learns_of_no_call_without_a_trace",
    ),
    "a hold in somebody's name, to be taken for theirs": (
        "bookings/tests/test_free_calls.py",
        "hold_in_somebodys_name_locks_them_out_of_nothing_and_is_never_taken_for_theirs",
    ),
    "filling the calendar with free calls": (
        "bookings/tests/test_strangers.py",
        "one_network_fills_no_calendar_with_free_calls",
    ),
    "an address as a name": ("bookings/tests/test_strangers.py", "name_that_carries_an_address_greets_nobody"),
    "holds from many addresses of one network": (
        "bookings/tests/test_strangers.py",
        "holds_of_one_ipv6_network_are_counted_together",
    ),
    "spending another's credit": ("bookings/tests/test_booking.py", "book_session_spends_nobody_elses_credit"),
    "a receipt and an email": (
        "bookings/tests/test_strangers.py",
        "receipt_and_email_open_no_booking_but_the_payers_own_call_repeated_does",
    ),
    "an order's id for its payment's": (
        "payments/tests/test_returns.py",
        "a_failed_return_of_an_order_that_was_paid_after_all_is_paid_and_names_no_payment",
    ),
    "slow bodies": ("bookings/tests/journeys/test_slow_clients.py", "slow_bodies_keep_nobody_else_waiting"),
    "slow reading": ("mindfulqalb/serving/tests/test_whole_requests.py", "thread_is_free_while_its_answer_travels"),
}
FRIEND, STRANGER = "https://www.mindful.example", "https://evil.example"
LINKED = [
    ("GET", ""),
    ("POST", "/cancel"),
    ("POST", "/refund"),
    ("POST", "/reschedule"),
    ("GET", "/receipts/R-2026-27-0001"),
]
CONSENT = {
    "sessionType": "individual",
    "email": "jane@example.com",
    "consentVersion": "2024-01-15",
    "acknowledgments": ["item1", "item2", "item3"],
}


def call(method: str, path: str, body: object = None, **headers: str) -> Any:
    data = json.dumps({} if body is None else body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client().generic(method, path, data, content_type="application/json", headers=named)


@pytest.mark.parametrize("attack", ELSEWHERE)
def test_attack_is_tried_where_it_is_said_to_be(attack: str) -> None:
    file, name = ELSEWHERE[attack]

    assert f"\ndef test_{name}(" in (Path(__file__).parents[2] / file).read_text()


def said(answer: Any) -> tuple[int, dict[str, Any]]:
    """What an answer says, without its number."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "requestId"}


# --- Tokens and ids ---------------------------------------------------------------------------------------------------


def claims_of(booking: Booking) -> dict[str, Any]:
    token = token_of(booking, now=timezone.now())
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def unsigned(booking: Booking) -> str:
    return jwt.encode(claims_of(booking), key="", algorithm="none")


def signed_with_a_guess(booking: Booking) -> str:
    return jwt.encode(claims_of(booking), key="your-jwt-secret" * 4, algorithm="HS256")


def for_staff(booking: Booking) -> str:
    now, claims = timezone.now(), Claims(subject=str(booking.id), version=booking.link_version)
    return issue_token(audience="staff", claims=claims, now=now, expires_at=now + timedelta(hours=1))


def for_its_consent(booking: Booking) -> str:
    assert booking.consent
    return consent_token(booking.consent, now=timezone.now())


def expired(booking: Booking) -> str:
    past, claims = timezone.now() - timedelta(days=1), Claims(subject=str(booking.id), version=booking.link_version)
    return issue_token(audience="booking", claims=claims, now=past - timedelta(days=1), expires_at=past)


def revoked(booking: Booking) -> str:
    token = token_of(booking, now=timezone.now())
    Booking.objects.filter(id=booking.id).update(link_version=booking.link_version + 1)
    return token


def of_another_booking(booking: Booking) -> str:
    return token_of(make_upcoming(hour=14), now=timezone.now())


@pytest.mark.parametrize(("method", "action"), LINKED)
@pytest.mark.parametrize(
    "forge", [unsigned, signed_with_a_guess, for_staff, for_its_consent, expired, revoked, of_another_booking]
)
def test_booking_is_closed_to_every_token_but_its_own(
    forge: Callable[[Booking], str], method: str, action: str
) -> None:
    booking = make_upcoming()
    address = f"/api/bookings/{BOOKING.encode(booking.id)}{action}"

    forged = call(method, address, Authorization=f"Bearer {forge(booking)}")
    rubbish = call(method, address, Authorization="Bearer rubbish")

    assert (forged.status_code, said(forged)) == (401, said(rubbish))
    assert Booking.objects.get(id=booking.id).state == booking.state


def test_guessed_id_says_no_more_than_one_that_does_not_exist() -> None:
    there = call("GET", f"/api/bookings/{BOOKING.encode(make_upcoming().id)}")
    nowhere = call("GET", "/api/bookings/booking_aaaaaaaaaaaaaaaaaaaaaaaaaa")

    assert said(there) == said(nowhere)


@pytest.mark.parametrize("token", [unsigned, signed_with_a_guess, for_staff, expired, of_another_booking])
@pytest.mark.parametrize(("method", "path"), [("GET", "/api/consent/receipt"), ("POST", "/api/consent/withdraw")])
def test_consent_is_closed_to_tokens_for_something_else(
    method: str, path: str, token: Callable[[Booking], str]
) -> None:
    booking = make_upcoming()
    acts = ConsentRecord.objects.count()

    answer = call(method, path, Authorization=f"Bearer {token(booking)}")

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert (token is of_another_booking) or ConsentRecord.objects.count() == acts


@pytest.mark.parametrize(
    "trick",
    [
        *("{id}/", "{id}%00", "{id}%0a", "%20{id}", "{id}.json", "../bookings/{id}", "{id};x", "{id}%2e", "{upper}"),
        *("{id}%e2%80%8b", "{wide}", "{id}%c0%af", "%62ooking_", "{id}%ff", "{id}'--", "{id}%252f..", "x" * 3000),
    ],
)
def test_no_other_spelling_of_an_id_opens_it(trick: str) -> None:
    booking = make_upcoming()
    spelt = BOOKING.encode(booking.id)
    wide = "booking_" + "".join(chr(ord(letter) + 0xFEE0) for letter in spelt[8:])
    path = trick.format(id=spelt, upper="booking_" + spelt[8:].upper(), wide=wide)

    answer = call("GET", f"/api/bookings/{path}", Authorization=f"Bearer {token_of(booking, now=timezone.now())}")

    assert answer.status_code in {401, 404}
    assert answer.json()["success"] is False


# --- What may be said, and by whom ------------------------------------------------------------------------------------


def test_mass_assignment_changes_nothing(sandbox: SandboxProcess) -> None:
    make_catalogue()
    wanted = {"id": "c0ffee00-0000-4000-8000-000000000000", "success": False, "event": "withdrawn", "expiresAt": "2999"}

    plain = call("POST", "/api/consent", CONSENT)
    greedy = call("POST", "/api/consent", CONSENT | wanted | {"email_hash": "0" * 64, "legal_hold": True})
    order = call(
        "POST",
        "/api/payments/create-order",
        {
            "sessionType": "individual",
            "format": "video",
            "amount": 1,
            "amountMinor": 1,
            "price": 1,
            "state": "captured",
        },
    )

    assert [plain.status_code, greedy.status_code, order.json()["amount"]] == [201, 201, 129900]
    first, second = ConsentRecord.objects.order_by("created_at")
    assert ([first.email_hash], str(second.id) == wanted["id"]) == ([second.email_hash], False)
    assert abs(first.expires_at - second.expires_at) < timedelta(minutes=1)


class CountingHasher(MD5PasswordHasher):
    """Fast, and knows how often it was asked."""

    asked = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).asked += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("username", ["asha", "nobody"])
def test_sign_in_costs_and_says_the_same_whether_there_is_such_a_person(username: str, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_member(username="asha", password=PASSWORD)
    CountingHasher.asked = 0

    answer = call("POST", "/api/auth/token", {"username": username, "password": "wrong"})

    assert (answer.status_code, answer.json()["code"], CountingHasher.asked) == (401, "wrong_credentials", 1)


def test_consent_says_the_same_whether_we_know_the_email() -> None:
    make_upcoming()  # which is Jane's

    known, unknown = (
        call("POST", "/api/consent", CONSENT | {"email": f"{name}@example.com"}) for name in ("jane", "eve")
    )

    assert (known.status_code, sorted(known.json())) == (unknown.status_code, sorted(unknown.json()))
    assert known.status_code == 201


def costs_of(email: str, *, hour: int, session: str, pay_with: str | None) -> list[tuple[int, list[str]]]:
    """Agree and hold as the page does; list both answers, and the statements that each has cost."""
    with CaptureQueriesContext(connection) as agreeing:
        consent = call("POST", "/api/consent", CONSENT | {"sessionType": session, "email": email})
    slot = next_slot(hour, days=20)
    wish = {
        "sessionType": session,
        "date": local(slot).date().isoformat(),
        "time": clock_text(slot),
        "customer": {"name": "Somebody", "email": email, "phone": "+919876543210"},
        "consentId": consent.json()["consentId"],
        "payWith": pay_with,
    }
    with CaptureQueriesContext(connection) as holding:
        hold = call("POST", "/api/bookings/hold", wish)
    return [(consent.status_code, _kinds(agreeing)), (hold.status_code, _kinds(holding))]


def _kinds(captured: CaptureQueriesContext) -> list[str]:
    """Name the verb and the first table of each statement; savepoints have numbers."""
    return [" ".join(re.findall(r'^\w+|"[a-z_]+"', query["sql"])[:2]) for query in captured.captured_queries]


@pytest.mark.parametrize(("session", "pay_with"), [("individual", "razorpay"), ("free", None)])
def test_calls_cost_the_same_whether_we_know_the_email(
    sandbox: SandboxProcess, session: str, pay_with: str | None
) -> None:
    make_upcoming()  # Jane's
    ask = partial(costs_of, session=session, pay_with=pay_with)
    ask("ann@example.com", hour=11)  # what is read once for everybody is read now

    known, unknown = ask("jane@example.com", hour=12), ask("eve@example.com", hour=14)

    assert known == unknown
    assert [status for status, _ in known] == [201, 201]


def test_no_address_that_we_are_given_is_ever_called(sandbox: SandboxProcess, settings: Settings) -> None:
    make_catalogue()
    with socket.create_server(("127.0.0.1", 0)) as canary:
        bait = f"http://127.0.0.1:{canary.getsockname()[1]}"
        settings.CHECKOUT_RETURN_ORIGINS = [bait]
        headers = {"X_LogRocket_URL": bait, "Origin": bait, "Referer": bait, "User_Agent": bait}

        consent = call("POST", "/api/consent", CONSENT | {"userAgent": bait, "ipAddress": bait}, **headers)
        checkout = call(
            "POST",
            "/api/payments/create-checkout",
            {
                "sessionType": "individual",
                "format": "video",
                "customer": {"email": "jane@example.com"},
                "successUrl": f"{bait}/ok",
                "cancelUrl": f"{bait}/no",
            },
            **headers,
        )
        call("POST", "/api/webhooks/calcom", {"payload": {"url": bait}}, **headers)
        called, _, _ = select.select([canary], [], [], 0.2)

    assert ([consent.status_code, checkout.status_code], called) == ([201, 200], [])


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_request_writes_no_line_of_its_own_into_the_log(
    formatter: logging.Formatter, caplog: pytest.LogCaptureFixture
) -> None:
    forged = "x%0d%0a09:00:00%20INFO%20staff:%20signed%20in%20%1b[2J"
    odd = "x\x0b09:00:00 INFO\u2028staff: signed in"

    call("GET", f"/api/bookings/booking_{forged}?next={forged}", User_Agent=odd, X_Request_ID=odd, X_LogRocket_URL=odd)
    call("GET", f"/{forged}", Referer=odd)

    lines = [formatter.format(record) for record in caplog.records]
    assert len(lines) >= 2
    assert [line for line in lines if any(mark in line for mark in "\r\n\x0b\x1b\u2028")] == []


# --- Other sites ------------------------------------------------------------------------------------------------------


@pytest.fixture
def _friend(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [FRIEND]


def asks_first(origin: str, path: str = "/api/bookings") -> Any:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, idempotency-key, x-logrocket-url",
    }
    return Client().options(path, headers=asked)


@pytest.mark.usefixtures("_friend")
def test_front_end_may_call_and_carries_no_cookie() -> None:
    answer = asks_first(FRIEND)

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, FRIEND)
    wanted = {"authorization", "content-type", "idempotency-key", "x-logrocket-url"}
    assert wanted - {*answer["Access-Control-Allow-Headers"].split(", ")} == set()
    assert "Access-Control-Allow-Credentials" not in answer


@pytest.mark.usefixtures("_friend")
@pytest.mark.parametrize(
    "origin", [STRANGER, "null", f"{FRIEND}.evil.example", FRIEND.replace("https", "http"), f"{FRIEND}:8443", "*"]
)
def test_other_sites_may_not_read_our_answers(origin: str) -> None:
    answers = [asks_first(origin), Client().get("/api/catalogue", headers={"Origin": origin})]

    assert ["Access-Control-Allow-Origin" in answer for answer in answers] == [False, False]


@pytest.mark.usefixtures("_friend")
@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/manage/forged", "/", "/metrics", "/readyz"])
def test_pages_are_read_by_no_other_site_at_all(path: str) -> None:
    answers = [asks_first(FRIEND, path), Client().get(path, headers={"Origin": FRIEND})]

    assert ["Access-Control-Allow-Origin" in answer for answer in answers] == [False, False]


@pytest.mark.parametrize("path", [*map(address_of, ROUTES), "/admin/", "/admin/login/", "/nowhere"])
def test_no_page_can_be_framed_and_no_answer_sniffed(path: str) -> None:
    answer = Client().get(path)

    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("target", [STRANGER, "//evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil"])
def test_login_leads_to_no_other_site(target: str) -> None:
    member = make_member(username="asha", password=PASSWORD)
    browser = Client()

    answer = browser.post(f"/admin/login/?next={target}", {"username": "asha", "password": PASSWORD, "next": target})

    assert member.is_staff
    assert (answer.status_code, answer["Location"].startswith("/admin/")) == (302, True)


def test_foreign_host_is_served_nothing() -> None:
    answer = Client().get("/api/catalogue", headers={"Host": "evil.example"})

    assert said(answer)[1]["code"] == "unknown_host"
