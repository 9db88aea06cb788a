"""The first page of the back office with what the apps put on it."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import Booking, CalendarCursor, CalendarFinding, FindingKind
from bookings.panels.agenda import initials
from bookings.panels.figures import confirmation_times, sessions
from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import JOHN, NOW, make_payment, make_upcoming, make_wish, next_slot
from consent.models import ConsentDocument
from consent.services import record_consent
from consent.withdrawal import withdraw_consent
from mindfulqalb.audit.models import AuditVerification
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import MailState
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.retention.models import LegalHold, Restriction
from mindfulqalb.staff.desk.registry import Viewer
from mindfulqalb.staff.desk.signs import installed_at
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FINANCE, FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import make_member, make_superuser
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.states import RequestKind
from payments.panels import revenue
from payments.states import Attention

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client

    from mindfulqalb.staff.desk.charts import Chart
    from mindfulqalb.staff.models import StaffMember

pytestmark = pytest.mark.django_db

INDEX = "/admin/"
# Four say who looks; each panel asks once, but for two facts of the outbox and of the seals.
QUERIES = 28


def _book(hour: int, **overrides: Any) -> Booking:
    return make_upcoming(hour=hour, payment=make_payment(), **overrides)


def _withdraw(booking: Booking) -> None:
    assert booking.consent
    later = _after_consent(minutes=1)
    withdraw_consent(consent_id=booking.consent.id, circumstances=make_wish().circumstances, now=later)


def _after_consent(*, minutes: int) -> datetime:
    """A moment after the builders' consents, and not long ago."""
    return max(timezone.now(), NOW) + timedelta(minutes=minutes)


def _die(topic: str) -> None:
    now = timezone.now()
    OutboxMessage.objects.create(
        topic=topic, lane="x:1", payload={}, state="DEAD", due_at=now, created_at=now, finished_at=now
    )


def _find(kind: FindingKind, **overrides: Any) -> None:
    now = timezone.now()
    CalendarFinding.objects.create(
        kind=kind, calendar_uid=uuid4().hex, starts_at=now, found_at=now, seen_at=now, **overrides
    )


def _ask(due_at: datetime) -> None:
    SubjectRequest.objects.create(
        kind=RequestKind.ACCESS, email="p@example.com", wish="", received_at=due_at - timedelta(days=30), due_at=due_at
    )


def _lose_mail(now: datetime) -> None:
    SentMail.objects.create(
        key=uuid4(), template="confirmation", about="x:1", content="Dear", sent_at=now, state=MailState.BOUNCED
    )


def make_trouble(count: int) -> None:
    """So many of everything that needs a person, all of it now."""
    now = timezone.now()
    for number in range(count):
        late = _book(9 + number, state=BookingState.PENDING)
        Booking.objects.filter(id=late.id).update(created_at=now - timedelta(hours=1))
        _withdraw(_book(14 + number, wish=_wish_of(number)))
        make_payment(captured_at=now)
        for reason in (Attention.DISPUTE, Attention.REFUND_FAILED):
            make_payment(attention=reason, captured_at=now)
        for kind in FindingKind:
            _find(kind)
        _die("email.confirmation")
        LegalHold.objects.create(target=f"booking:{number}", reason="A dispute", placed_at=now, placed_by="staff:1")
        Restriction.objects.create(person_hash=f"{number}", since=now)
        for days in (-1, 6):
            _ask(due_at=now + timedelta(days=days))
        _lose_mail(now)
        ConsentDocument.objects.create(version=f"2027-01-0{number + 1}", title="New", text="New")
    AuditVerification.objects.create(
        started_at=now, finished_at=now, event_count=9, row_count=9, erased_count=0, finding_count=count, findings=[]
    )


def _wish_of(number: int) -> Any:
    """A wish of a client of their own, so that one withdrawal is one person's."""
    slot = local(next_slot(14 + number))
    customer = type(JOHN)(name=f"Client {number}", email=f"client{number}@example.com", phone=None)
    return make_wish(day=slot.date(), clock=slot.time(), customer=customer)


def tasks_of(client: Client) -> dict[str, tuple[int, str]]:
    """What "Needs you" says: by title, how many, and the list's address."""
    shown = client.get(INDEX).content.decode()
    found = re.findall(r'<a href="([^"]+)"><span class="count">(\d+)</span> ([^<]+)</a>', shown)
    return {html.unescape(title): (int(count), html.unescape(url)) for url, count, title in found}


# What needs a person

CALENDAR = [
    "Calendar: stands in the calendar, and not here",
    "Calendar: booked here, and missing in the calendar",
    "Calendar: changed in the calendar, and cannot be followed here",
    "Calendar: given up or moved late in the calendar, and by whom is in doubt",
]
SESSIONS = ["Sessions that the calendar has not confirmed", "Sessions to come without consent"]
DOUBTS = ["Payments: disputed at the client's bank", "Payments: a refund of it failed"]
UNPLACED, DEAD, FINDINGS = "Paid, and without a session", "Work that was given up", "Findings of the last verification"
WITHDRAWN, DRAFTS = "Consents withdrawn in 30 days", "Drafts of consent documents"
KEPT = ["Holds on purging", "Erasures under way"]
ASKED = ["Requests about one's own data: overdue", "Requests about one's own data: due in a week"]
LOST = "Mails that did not arrive"


@pytest.mark.parametrize(
    ("role", "titles"),
    [
        (THERAPIST, ["Account without a therapist"]),
        (FRONT_DESK, [*SESSIONS, *CALENDAR, LOST]),
        (FINANCE, [UNPLACED, *DOUBTS]),
        (COMPLIANCE_AUDITOR, [WITHDRAWN, *ASKED, *KEPT, FINDINGS]),
        (ADMINISTRATOR, [*SESSIONS, *CALENDAR, UNPLACED, DRAFTS, *DOUBTS, LOST, DEAD, *ASKED, *KEPT]),
    ],
)
def test_each_role_sees_what_is_its_to_do(client: Client, role: str, titles: list[str]) -> None:
    make_trouble(1)
    client.force_login(make_member(role))

    assert list(tasks_of(client)) == titles


@pytest.mark.parametrize("count", [1, 2])
def test_every_count_leads_to_a_list_of_just_these(client: Client, count: int) -> None:
    make_trouble(count)
    client.force_login(make_superuser())

    tasks = tasks_of(client)

    tasks.pop(FINDINGS)  # leads to the verifications, of which one has all the findings
    listed = {title: client.get(url).context["cl"].result_count for title, (_, url) in tasks.items()}
    assert (len(listed), set(listed.values())) == (17, {count})
    assert {title: number for title, (number, _) in tasks.items()} == listed


def test_nothing_to_do_says_so(client: Client) -> None:
    client.force_login(make_superuser())

    assert "Nothing. What needs a person will stand here" in client.get(INDEX).content.decode()


def test_withdrawn_consent_that_was_given_anew_with_a_booking_needs_nobody(client: Client) -> None:
    booking = _book(14)
    _withdraw(booking)
    anew = record_consent(
        session_type=booking.session_type,
        email=booking.customer_email,
        version="2024-01-15",
        acknowledgments=["item1", "item2", "item3"],
        circumstances=make_wish().circumstances,
        now=_after_consent(minutes=2),
    )
    client.force_login(make_member(FRONT_DESK))
    by_itself = list(tasks_of(client))
    Booking.objects.filter(id=_book(16).id).update(consent=anew)

    assert (by_itself, tasks_of(client)) == (["Sessions to come without consent"], {})


def test_session_that_is_just_being_confirmed_needs_nobody(client: Client) -> None:
    booking = _book(14, state=BookingState.PENDING)
    Booking.objects.filter(id=booking.id).update(created_at=timezone.now())
    client.force_login(make_member(FRONT_DESK))

    assert tasks_of(client) == {}


def test_therapist_whose_account_is_linked_has_nothing_to_do(client: Client) -> None:
    client.force_login(_as_therapist(_book(9)))

    assert tasks_of(client) == {}


# Agenda


def _as_therapist(booking: Booking) -> StaffMember:
    member = make_member(THERAPIST)
    Therapist.objects.filter(id=booking.therapist_id).update(member=member)
    return member


def _agenda(client: Client) -> list[tuple[str, str]]:
    shown = client.get(INDEX).content.decode()
    return re.findall(r'<time>([\d:]+)</time>.<time>.*?class="who">([^<]*)<', shown, re.DOTALL)


def test_agenda_shows_times_of_the_practice_and_initials(client: Client) -> None:
    _book(9)
    _book(17, wish=_wish_of(3))
    client.force_login(make_member(FRONT_DESK))

    assert _agenda(client) == [("09:00", "J. D."), ("17:00", "C. 3.")]


def test_therapist_sees_own_sessions_and_the_front_desk_whose_they_are(client: Client) -> None:
    hers = _book(9)
    bela = Therapist.objects.create(name="Dr. Bela", slug="bela")
    _book(9, wish=_wish_of(0), therapist=bela)
    client.force_login(make_member(FRONT_DESK, username="ravi"))
    everybodys = _agenda(client)
    client.force_login(_as_therapist(hers))

    assert [who for _, who in everybodys] == [f"J. D. with {hers.therapist.name}", "C. 0. with Dr. Bela"]
    assert _agenda(client) == [("09:00", "J. D.")]


@pytest.mark.parametrize(
    ("state", "is_shown"),
    [
        (BookingState.HELD, False),
        (BookingState.PENDING, True),
        (BookingState.CONFIRMED, True),
        (BookingState.CANCELLED, False),
        (BookingState.REJECTED, False),
        (BookingState.NO_SHOW, True),
    ],
)
def test_agenda_shows_sessions_that_take_or_took_place(client: Client, state: BookingState, is_shown: bool) -> None:
    _book(9, state=state)
    client.force_login(make_member(FRONT_DESK))

    assert bool(_agenda(client)) is is_shown


def test_agenda_is_not_for_those_who_may_not_see_bookings(client: Client) -> None:
    _book(9)
    client.force_login(make_member(FINANCE))

    assert ("today-title" in client.get(INDEX).content.decode(), _agenda(client)) == (False, [])


@pytest.mark.parametrize(("name", "short"), [("Jane Doe", "J. D."), ("asha", "A."), ("", "")])
def test_initials_are_all_that_is_shown_of_a_name(name: str, short: str) -> None:
    assert initials(name) == short


# Charts


def _figures(chart: Chart) -> list[str]:
    return [bar.text for bar in chart.bars if bar.value]


def test_charts_count_sessions_and_those_that_were_missed() -> None:
    now = timezone.now()
    booking = make_upcoming(hour=9, state=BookingState.COMPLETED)
    make_upcoming(hour=11, state=BookingState.NO_SHOW, wish=_wish_of(1))
    make_upcoming(hour=12, state=BookingState.CANCELLED, wish=_wish_of(2))
    Booking.objects.update(starts_at=now - timedelta(weeks=1), ends_at=now - timedelta(weeks=1, hours=-1))

    everybodys = sessions(Viewer(make_superuser(), now))
    nobodys = sessions(Viewer(make_member(THERAPIST), now))

    assert booking.state == BookingState.COMPLETED
    assert [_figures(chart) for chart in everybodys] == [["2"], ["1"]]
    assert [chart.is_empty for chart in nobodys] == [True, True]


def test_chart_of_revenue_has_one_for_each_currency() -> None:
    now = timezone.now()
    for _ in range(2):
        make_payment(captured_at=now)
    dollars = {"currency": "USD", "captured_currency": "USD"}
    make_payment(captured_at=now, amount_minor=2500, captured_amount_minor=2500, **dollars)
    make_payment(captured_at=now - timedelta(weeks=20))

    charts = revenue(Viewer(make_superuser(), now))

    assert [_figures(chart) for chart in charts] == [["INR 2,598.00"], ["USD 25.00"]]
    assert [bar.short for chart in charts for bar in chart.bars if bar.value] == ["2.6k", "25"]


def test_chart_of_waiting_sorts_payments_by_their_time_to_confirmation() -> None:
    now = timezone.now()
    for number, seconds in enumerate((4, 10, 11, 90000)):
        booking = _book(14 + number, wish=_wish_of(number))
        assert booking.payment
        assert booking.payment.captured_at
        moment = booking.payment.captured_at + timedelta(seconds=seconds)
        record(action="booking.confirmed", actor="system", target=f"booking:{booking.id}", now=moment)
    _book(9)

    (chart,) = confirmation_times(Viewer(make_superuser(), now))

    assert {bar.label: bar.value for bar in chart.bars if bar.value} == {"10 s": 2, "30 s": 1, "longer": 1}


# Machinery


def _signs(client: Client) -> dict[str, str]:
    shown = client.get(INDEX).content.decode()
    found = re.findall(r'<li class="is-(\w+)">\s*<a href="[^"]+">([^<]+)</a>', shown)
    return {title: state for state, title in found}


@pytest.mark.parametrize(
    ("age", "nightly", "calendar"),
    [
        (timedelta(minutes=5), "well", "well"),
        (timedelta(hours=2), "well", "ill"),
        (timedelta(days=2), "ill", "ill"),
    ],
)
def test_machinery_that_never_ran_is_ill_once_it_should_have(
    client: Client, age: timedelta, nightly: str, calendar: str
) -> None:
    client.force_login(make_superuser())
    MigrationRecorder.Migration.objects.update(applied=timezone.now() - age)
    installed_at.cache_clear()

    signs = _signs(client)
    installed_at.cache_clear()

    assert signs == {
        "Calendar last read": calendar,
        "Last purge": nightly,
        "Mails and calendar writes": "well",
        "Last seal of the audit trail": "well",
        "Last signed checkpoint": nightly,
        "Last verification of the audit trail": nightly,
    }


@pytest.mark.parametrize(("minutes", "state"), [(1, "well"), (11, "ill")])
def test_calendar_that_was_not_heard_is_ill(client: Client, minutes: int, state: str) -> None:
    heard = timezone.now() - timedelta(minutes=minutes)
    CalendarCursor.objects.create(name=CalendarCursor.CHANGES, changed_until=heard, asked_at=heard)
    client.force_login(make_member(FRONT_DESK))

    assert _signs(client) == {"Calendar last read": state}


# Cost


@pytest.mark.parametrize("count", [1, 3])
def test_first_page_asks_the_same_for_any_number_of_rows(client: Client, count: int) -> None:
    make_trouble(count)
    client.force_login(make_superuser())
    client.get(INDEX)  # a process asks once how old the installation is

    with CaptureQueriesContext(connection) as captured:
        assert client.get(INDEX).status_code == 200

    selects = [query["sql"] for query in captured.captured_queries if query["sql"].startswith("SELECT")]
    assert len(selects) == QUERIES, "\n".join(selects)
