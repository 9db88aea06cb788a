"""Clients in the admin: masked, shown in full for a reason and on record, and found without a name in any address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import JANE, JOHN, make_booking, make_upcoming, make_wish
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.blind_index import email_digest, phone_digest
from mindfulqalb.staff.finding import EMAIL_PHONE_OR_ID, NOT_SEARCHABLE
from mindfulqalb.staff.reveal import REVEALED_FOR, SESSION_KEY
from mindfulqalb.staff.roles import FRONT_DESK
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client
    from pytest_django import Settings

    from mindfulqalb.staff.models import StaffMember

pytestmark = pytest.mark.django_db

LIST = "/admin/bookings/booking/"
REASON = {"reason": "Asked by telephone to move it"}


@pytest.fixture(autouse=True)
def member(client: Client) -> StaffMember:
    member = make_member(FRONT_DESK)
    client.force_login(member)
    return member


@pytest.fixture
def booking() -> Booking:
    return make_upcoming()


def _page(booking: Booking, page: str = "change") -> str:
    return reverse(f"admin:bookings_booking_{page}", args=[booking.id])


def _reads() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="personal_data.read"))


def _search(browser: Client, typed: str, /, **filters: str) -> tuple[str, list[UUID], list[str]]:
    """Type something into the search box: where it leads to, what stands there, and what is said."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    response = browser.post(f"{LIST}?{query}", {"q": typed}, follow=True)
    address, _ = response.redirect_chain[-1]
    rows = [row.id for row in response.context["cl"].result_list]
    return address, rows, [str(message) for message in response.context["messages"]]


# Shown


def test_list_shows_clients_masked(client: Client, booking: Booking) -> None:
    page = client.get(LIST).content.decode()

    assert ("J… D… j…@e….com" in page, JANE.name in page, JANE.email in page) == (True, False, False)


def test_page_shows_the_client_masked_and_where_to_ask(client: Client, booking: Booking) -> None:
    page = client.get(_page(booking)).content.decode()

    masked = [part in page for part in ("J… D…", "j…@e….com", "…10", _page(booking, "reveal"))]
    assert (masked, JANE.name in page, str(JANE.phone) in page) == ([True] * 4, False, False)
    assert _reads() == []


def test_client_is_shown_for_a_reason_and_it_goes_on_record(
    client: Client, booking: Booking, member: StaffMember
) -> None:
    answer = client.post(_page(booking, "reveal"), REASON)
    page = client.get(_page(booking)).content.decode()

    assert (answer.status_code, answer.headers["Location"]) == (302, _page(booking))
    assert [part in page for part in (JANE.name, JANE.email, str(JANE.phone))] == [True] * 3
    [event] = _reads()
    fields = ["customer_email", "customer_name", "customer_phone"]
    assert (event.actor, event.target, event.reason, event.details) == (
        f"staff:{member.id}",
        f"booking:{booking.id}",
        REASON["reason"],
        {"fields": fields},
    )


def test_reason_is_asked_once_per_visit_and_for_each_session_by_itself(client: Client, booking: Booking) -> None:
    other = make_upcoming(hour=14, wish=make_wish(customer=JOHN))
    client.post(_page(booking, "reveal"), REASON)

    shown = [JANE.name in client.get(_page(booking)).content.decode() for _ in range(2)]

    assert (shown, JOHN.name in client.get(_page(other)).content.decode(), len(_reads())) == ([True, True], False, 1)


def test_client_is_masked_again_when_the_time_is_over(client: Client, booking: Booking) -> None:
    client.post(_page(booking, "reveal"), REASON)
    session = client.session
    [target] = session[SESSION_KEY]
    left = datetime.fromtimestamp(session[SESSION_KEY][target], tz=UTC) - timezone.now()
    session[SESSION_KEY] = {target: timezone.now().timestamp() - 1}
    session.save()

    page = client.get(_page(booking)).content.decode()

    assert (JANE.name in page, timedelta(0) < left <= REVEALED_FOR) == (False, True)


def test_list_stays_masked_after_a_reason(client: Client, booking: Booking) -> None:
    client.post(_page(booking, "reveal"), REASON)

    assert JANE.name not in client.get(LIST).content.decode()


def test_log_out_ends_the_visit(client: Client, booking: Booking, member: StaffMember) -> None:
    client.post(_page(booking, "reveal"), REASON)
    client.post("/admin/logout/")
    client.force_login(member)

    assert JANE.name not in client.get(_page(booking)).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_nobody_looks_without_a_reason(client: Client, booking: Booking, reason: str) -> None:
    answer = client.post(_page(booking, "reveal"), {"reason": reason})

    page = client.get(_page(booking)).content.decode()
    assert (answer.status_code, JANE.name in page, _reads()) == (200, False, [])


def test_erased_client_leaves_a_dash(client: Client) -> None:
    booking = make_upcoming(BookingState.COMPLETED, customer_name="", customer_email="", customer_phone=None)

    answers = [client.get(page) for page in (LIST, _page(booking))]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_tampered_field_does_not_close_the_page(client: Client, booking: Booking) -> None:
    other = make_booking(wish=make_wish(customer=JOHN), state=BookingState.CANCELLED)
    Booking.objects.filter(id=booking.id).update(
        customer_name=Booking.objects.get(id=other.id).__dict__["customer_name"]
    )

    statuses = [client.get(page).status_code for page in (LIST, _page(booking))]

    assert statuses == [200, 200]


# Found


def test_whole_email_finds_its_sessions_and_stands_in_no_address(client: Client, booking: Booking) -> None:
    make_upcoming(hour=14, wish=make_wish(customer=JOHN))

    address, rows, _ = _search(client, "  JANE@Example.com ")

    assert (address, rows) == (f"?client={email_digest(JANE.email)}", [booking.id])


def test_email_is_found_under_a_key_that_was_rotated_away(client: Client, booking: Booking, settings: Settings) -> None:
    settings.BLIND_INDEX_KEY_FALLBACKS = [settings.BLIND_INDEX_KEY]
    settings.BLIND_INDEX_KEY = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE="

    _, rows, _ = _search(client, JANE.email)

    assert rows == [booking.id]


@pytest.mark.parametrize(
    "typed", [JANE.phone, "098765 43210", "+91 (98765) 432-10", "98765.43210", "\u202a+91 98765 43210\u202c"]
)
def test_whole_phone_finds_its_sessions_however_it_is_written(client: Client, booking: Booking, typed: str) -> None:
    make_upcoming(hour=14, wish=make_wish(customer=JOHN))

    address, rows, _ = _search(client, typed)

    assert (address, rows) == (f"?client={phone_digest(JANE.phone)}", [booking.id])


def test_phone_is_found_under_a_key_that_was_rotated_away(client: Client, booking: Booking, settings: Settings) -> None:
    settings.BLIND_INDEX_KEY_FALLBACKS = [settings.BLIND_INDEX_KEY]
    settings.BLIND_INDEX_KEY = "bmV3LWtleS1uZXcta2V5LW5ldy1rZXktbmV3LWtleTE="

    _, rows, _ = _search(client, str(JANE.phone))

    assert rows == [booking.id]


@pytest.mark.parametrize("typed", ["Jane Doe", "jane", "+91 98765", "12345", "+0000000000", "x" * 300 + " 1"])
def test_what_is_no_id_is_refused_and_stands_in_no_address(client: Client, booking: Booking, typed: str) -> None:
    address, rows, said = _search(client, typed)

    assert (address, rows) == ("?", [booking.id])
    assert said == [NOT_SEARCHABLE.format(EMAIL_PHONE_OR_ID)]


def test_id_is_found_and_the_filters_stay(client: Client, booking: Booking) -> None:
    address, rows, _ = _search(client, str(booking.id), state__exact="CONFIRMED")
    _, none, _ = _search(client, str(booking.id), state__exact="HELD")

    assert (address, rows, none) == (f"?state__exact=CONFIRMED&q={booking.id}", [booking.id], [])


def test_new_search_takes_the_place_of_the_last(client: Client, booking: Booking) -> None:
    last = {"client": "0" * 64, "q": "uid1", "p": "3"}
    address, _, _ = _search(client, "", **last)

    assert address == "?"


@pytest.mark.parametrize("digest", ["x", "0" * 63, "0" * 64, "0" * 64 + ",", "%00", "'"])
def test_digest_of_nobody_finds_nothing(client: Client, booking: Booking, digest: str) -> None:
    response = client.get(f"{LIST}?client={digest}")

    assert (response.status_code, list(response.context["cl"].result_list)) == (200, [])


def test_search_box_posts(client: Client, booking: Booking) -> None:
    page = client.get(LIST).content.decode()

    form = page[page.index('id="changelist-search"') :][:400]
    assert ('method="post"' in form, "csrfmiddlewaretoken" in form) == (True, True)


@pytest.mark.parametrize(
    ("span", "offsets"),
    [
        ("today", [0]),
        ("tomorrow", [1]),
        ("yesterday", [-1]),
        ("next-week", [0, 1, 6]),
        ("last-week", [-7, -1]),
        ("next-month", [0, 1, 6, 7, 29]),
        ("last-month", [-30, -8, -7, -1]),
        ("some-time", [-31, -30, -8, -7, -1, 0, 1, 6, 7, 29, 30]),
    ],
)
def test_days_are_the_practices(client: Client, span: str, offsets: list[int]) -> None:
    midnight = local(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    for offset in (-31, -30, -8, -7, -1, 0, 1, 6, 7, 29, 30):
        starts_at = midnight + timedelta(days=offset)
        make_booking(state=BookingState.CANCELLED, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=50))

    rows = client.get(LIST, {"day": span}).context["cl"].result_list

    assert sorted((local(row.starts_at).date() - midnight.date()).days for row in rows) == offsets
