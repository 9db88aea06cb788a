"""What consent, withdrawn or expired, means for bookings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.letters import confirmation_letter
from bookings.models import Booking
from bookings.panels.troubles import without_consent
from bookings.reminders import is_wanted
from bookings.services.booking import place_paid_hold
from bookings.states import BookingState
from bookings.tests.builders import JANE, JOHN, make_payment, make_upcoming, make_wish
from consent.evidence import Circumstances
from consent.links import consent_of_token
from consent.queries import may_process
from consent.services import record_consent
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.staff.desk.registry import Viewer
from mindfulqalb.staff.tests.builders import make_superuser

if TYPE_CHECKING:
    from django.test import Client

    from bookings.tests.visitor import Visitor
    from consent.models import ConsentRecord
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

TICKED = ["item1", "item2", "item3"]
LONG_AGO = timedelta(days=366)


def consent_of(visitor: Visitor, **overrides: Any) -> ConsentRecord:
    values: dict[str, Any] = {
        "session_type": "individual",
        "email": visitor.email,
        "version": "2024-01-15",
        "acknowledgments": TICKED,
        "circumstances": Circumstances(),
        "now": datetime.now(UTC),
    }
    return record_consent(**values | overrides)


def withdraw(consent: ConsentRecord) -> None:
    withdraw_consent(consent_id=consent.id, circumstances=Circumstances(), now=datetime.now(UTC))


@pytest.mark.parametrize("code", ["consent_expired", "consent_withdrawn"])
def test_hold_on_consent_that_is_over_is_refused_with_a_code(visitor: Visitor, code: str) -> None:
    ago = LONG_AGO if code == "consent_expired" else timedelta(0)
    consent = consent_of(visitor, now=datetime.now(UTC) - ago)
    if code == "consent_withdrawn":
        withdraw(consent)
    visitor.extra["consentId"] = CONSENT.encode(consent.id)

    status, answer = visitor.hold()

    assert (status, answer["code"], list(answer["fields"])) == (409, code, ["consentId"])
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("code", ["consent_expired", "consent_withdrawn"])
def test_booking_on_consent_that_is_over_is_refused_and_the_payment_stays(visitor: Visitor, code: str) -> None:
    ago = LONG_AGO if code == "consent_expired" else timedelta(0)
    consent = consent_of(visitor, now=datetime.now(UTC) - ago)
    payment = make_payment()
    if code == "consent_withdrawn":
        withdraw(consent)
    visitor.extra["consentId"] = CONSENT.encode(consent.id)

    status, answer = visitor.book(str(payment.provider_payment_id))

    payment.refresh_from_db()
    assert (status, answer["code"], payment.is_spendable, Booking.objects.count()) == (409, code, True, 0)


def test_booking_after_consenting_anew_goes_through(visitor: Visitor) -> None:
    withdraw(consent_of(visitor))
    visitor.extra["consentId"] = CONSENT.encode(consent_of(visitor).id)

    status, _ = visitor.hold()

    assert status == 201


@pytest.mark.parametrize(("age_band", "status"), [("under_18", 400), ("adult", 201), ("", 201)])
def test_hold_for_somebody_under_18_needs_their_guardian(visitor: Visitor, age_band: str, status: int) -> None:
    visitor.extra["ageBand"] = age_band

    answered, answer = visitor.hold()

    assert (answered, answer.get("code")) == (status, "guardian_consent_required" if status == 400 else None)


@pytest.mark.django_db
def test_hold_paid_after_the_withdrawal_is_not_booked_and_the_money_is_free(now: datetime) -> None:
    hold = make_upcoming(BookingState.HELD)
    payment = make_payment(reference=str(hold.id))
    assert hold.consent is not None
    withdraw(hold.consent)

    placed = place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)

    hold.refresh_from_db()
    payment.refresh_from_db()
    assert (placed, hold.state, payment.is_spendable) == (None, "HELD", True)
    assert OutboxMessage.objects.filter(topic="email.slot_lost").count() == 1


@pytest.mark.django_db
def test_confirmation_and_managing_page_lead_to_the_consent(browser: Client, now: datetime) -> None:
    booking = make_upcoming()

    context = confirmation_letter(booking, now=now).context

    page = browser.get(f"/manage/{context['manage_url'].rpartition('/')[2]}").content.decode()
    token = context["consent_url"].rpartition("/")[2]
    assert (consent_of_token(token, now=now), page.count("/consent/")) == (booking.consent, 1)


@pytest.mark.django_db
def test_hold_that_nobody_has_paid_leads_nobody_to_a_persons_consent(browser: Client, now: datetime) -> None:
    booking = make_upcoming(BookingState.HELD)

    link = confirmation_letter(booking, now=now).context["manage_url"]

    assert "/consent/" not in browser.get(f"/manage/{link.rpartition('/')[2]}").content.decode()


@pytest.mark.django_db(transaction=True)
def test_withdrawal_writes_to_client_and_practice_and_cancels_nothing(sandbox: SandboxProcess) -> None:
    ahead, others = make_upcoming(), make_upcoming(hour=12, wish=_wish_of_john())
    gone = make_upcoming(BookingState.CANCELLED, hour=15)
    assert ahead.consent is not None

    withdraw(ahead.consent)
    deliver_due(now=datetime.now(UTC) + timedelta(seconds=1), limit=20)

    mail, staff = sorted(sandbox.mailbox(), key=lambda mail: JANE.email not in mail["to"])
    states = [booking.state for booking in Booking.objects.filter(id__in=[ahead.id, others.id, gone.id])]
    assert (mail["subject"], mail["text"].count("/manage/"), mail["text"].count("/consent/")) == (
        "We have stopped, as you asked",
        1,
        1,
    )
    assert (staff["subject"], str(ahead.id) in staff["text"], str(others.id) in staff["text"]) == (
        "A client has withdrawn",
        True,
        False,
    )
    assert (JANE.email in staff["text"], str(gone.id) in staff["text"], sorted(states)) == (
        False,
        False,
        ["CANCELLED", "CONFIRMED", "CONFIRMED"],
    )
    assert [may_process(email=who.email) for who in (JANE, JOHN)] == [False, True]


# What is given anew


def _needs_a_person() -> int:
    (task,) = without_consent(Viewer(make_superuser(), datetime.now(UTC)))
    return int(task.count)


def test_consent_that_anybody_can_send_undoes_no_withdrawal(visitor: Visitor) -> None:
    booking = make_upcoming()
    assert booking.consent is not None
    withdraw(booking.consent)
    visitor.email = JANE.email

    assert visitor.consent()[0] == 201

    assert (is_wanted(booking), _needs_a_person()) == (False, 1)


def test_consent_under_a_corrected_address_undoes_no_withdrawal(visitor: Visitor) -> None:
    booking = make_upcoming()
    assert booking.consent is not None
    booking.customer_email, booking.customer_email_hash = JOHN.email, email_digest(JOHN.email)
    withdraw(booking.consent)
    visitor.email = JOHN.email

    assert visitor.consent()[0] == 201

    assert is_wanted(booking) is False


def test_booking_with_consent_given_anew_allows_it_again(visitor: Visitor) -> None:
    booking = make_upcoming()
    assert booking.consent is not None
    withdraw(booking.consent)
    held = make_upcoming(BookingState.HELD, hour=12)
    by_a_hold = is_wanted(booking)

    Booking.objects.filter(id=held.id).update(state=BookingState.PENDING)

    assert (by_a_hold, is_wanted(booking)) == (False, True)


@pytest.mark.django_db
def test_hold_with_consent_given_anew_is_placed_when_it_is_paid() -> None:
    before = make_upcoming()
    assert before.consent is not None
    withdraw(before.consent)
    held = make_upcoming(BookingState.HELD, hour=12)
    payment = make_payment(reference=str(held.id))

    placed = place_paid_hold(payment_id=payment.id, reference=str(held.id), now=datetime.now(UTC))

    assert (placed and placed.id, placed and placed.state) == (held.id, BookingState.PENDING)


def _wish_of_john() -> Any:
    slot = make_upcoming(BookingState.EXPIRED, hour=12)
    return make_wish(customer=JOHN, day=slot.session_date, clock=slot.session_time)
