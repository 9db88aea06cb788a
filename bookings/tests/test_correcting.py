"""A client's address was wrong: what is booked follows, and the links in the wrong mailbox end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import F
from django.urls import reverse

from bookings.letters import (
    confirmation_letter,
    not_moved_staff_letter,
    receipt_letter,
    reminder_letter,
    withdrawn_letter,
)
from bookings.links import booking_of_token, token_of
from bookings.metrics import unreached
from bookings.models import Booking
from bookings.receipts import write_receipt
from bookings.refusals import BeingPlaced, FreeCallAlreadyBooked
from bookings.reminders import is_wanted
from bookings.states import BookingState
from bookings.tests.builders import JOHN, make_booking, make_payment, make_upcoming, make_wish
from bookings.undelivered import unreached_bookings
from consent.evidence import Circumstances
from consent.links import consent_token
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.mail.bounces import record_bounce
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.queries import undelivered
from mindfulqalb.mail.resending import AddressStays, resend_letter
from mindfulqalb.mail.services import send_letter
from mindfulqalb.mail.states import MailState
from mindfulqalb.mail.tests.builders import make_letter
from mindfulqalb.mail.tests.reports import make_report
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.mail.services import Letter
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

RIGHT = "jane.doe@example.com"
TOKEN = re.compile(r"/(?:manage|reminders)/([\w-]+\.[\w-]+\.[\w-]+)")


def _sent(letter: Letter) -> SentMail:
    key = uuid4()
    send_letter(letter=letter, key=key, now=datetime.now(UTC))
    return SentMail.objects.get(key=key)


def _confirmed(booking: Booking) -> SentMail:
    return _sent(confirmation_letter(booking, now=datetime.now(UTC)))


def _correct(mail: SentMail, recipient: str = RIGHT) -> None:
    now = datetime.now(UTC)
    resend_letter(mail_id=mail.id, actor="staff:7", recipient=recipient, reason="She phoned", now=now)
    deliver_due(now=now + timedelta(seconds=1), limit=5)


def _mails(sandbox: SandboxProcess) -> dict[tuple[str, int], dict[str, Any]]:
    """What arrived, by template, and whether it is the first of it or the next."""
    arrived = {mail["messageId"]: mail for mail in sandbox.mailbox()}
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for mail in SentMail.objects.order_by(F("copy_of").asc(nulls_first=True), "sent_at"):
        number = sum(template == mail.template for template, _ in found)
        found[mail.template, number] = next(said for name, said in arrived.items() if str(mail.key) in name)
    return found


def test_corrected_address_becomes_the_bookings(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    mail = _confirmed(booking)

    _correct(mail, "  Jane.Doe@EXAMPLE.com ")

    booking.refresh_from_db()
    assert (booking.customer_email, booking.customer_email_hash) == ("Jane.Doe@example.com", email_digest(RIGHT))
    event, copied = (AuditEvent.objects.get(action=act) for act in ("booking.address_corrected", "mail.resent"))
    assert (event.actor, event.reason, copied.details and copied.details["corrected"]) == (
        "staff:7",
        "She phoned",
        True,
    )
    assert _mails(sandbox)["confirmation", 1]["to"] == ["Jane.Doe@example.com"]


def test_earlier_address_is_told_that_it_is_no_longer(sandbox: SandboxProcess) -> None:
    """Whose hand it was is not known: a client whose mails were turned away must hear of it."""
    _correct(_confirmed(make_upcoming()))

    notice = _mails(sandbox)["address_corrected", 0]
    assert notice["to"] == ["jane@example.com"]
    said = notice["subject"] + notice["text"] + notice["html"]
    assert [word for word in (RIGHT, "Jane", "/manage/", "Asha") if word in said] == []


def test_earlier_address_that_refuses_mails_leaves_nothing_to_do(sandbox: SandboxProcess) -> None:
    mail, now = _confirmed(make_upcoming()), datetime.now(UTC)
    resend_letter(mail_id=mail.id, actor="staff:7", recipient=RIGHT, reason="She phoned", now=now)
    OutboxMessage.objects.filter(topic="email.copy").delete()
    sandbox.fault("smtp", "status", status=550)

    deliver_due(now=now + timedelta(seconds=1), limit=5)

    assert SentMail.objects.get(template="address_corrected").state == MailState.REFUSED
    assert (OutboxMessage.objects.get().state, list(undelivered())) == (State.DELIVERED, [])


def test_second_mail_of_one_booking_follows_the_first_to_the_corrected_address(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    mails = [_confirmed(booking), _sent(reminder_letter(booking, now=datetime.now(UTC)))]

    for mail in mails:
        _correct(mail)

    booking.refresh_from_db()
    sent = _mails(sandbox)
    assert (booking.link_version, sent["reminder", 1]["to"]) == (2, [RIGHT])
    assert booking_of_token(TOKEN.findall(sent["reminder", 1]["text"])[0], now=datetime.now(UTC)) == booking


def test_outbox_and_trail_never_learn_the_address(sandbox: SandboxProcess) -> None:
    _correct(_confirmed(make_upcoming()))

    written = [str(row) for model in (OutboxMessage, AuditEvent, SentMail) for row in model.objects.values()]
    assert [row for row in written if "jane" in row.lower()] == []


# What nobody may have sent to themselves


def test_front_desk_cannot_send_itself_a_clients_withdrawal(client: Client, sandbox: SandboxProcess) -> None:
    """It carries the links of every session to come."""
    booking = make_upcoming()
    assert booking.consent is not None
    mail = _sent(withdrawn_letter(booking.consent, now=datetime.now(UTC)))
    client.force_login(make_member("Front desk"))

    data = {"action": "resend", "confirmed": "yes", "input": "desk@example.org", "reason": "She phoned"}
    answer = client.post(
        reverse("admin:mail_sentmail_changelist"), data | {ACTION_CHECKBOX_NAME: str(mail.pk)}, follow=True
    )

    assert "goes to its first reader alone" in answer.content.decode()
    assert (SentMail.objects.count(), OutboxMessage.objects.count()) == (1, 0)


def test_mail_to_the_practice_about_a_session_goes_to_nobody_else(sandbox: SandboxProcess) -> None:
    mail = _sent(not_moved_staff_letter(make_upcoming()))

    with pytest.raises(AddressStays):
        _correct(mail)


def test_mail_about_money_that_no_booking_has_goes_to_nobody_else(sandbox: SandboxProcess) -> None:
    payment = make_payment()
    letter = make_letter(template="unplaced", about=f"payment:{payment.id}", recipient="payer@example.com")

    with pytest.raises(AddressStays):
        _correct(_sent(letter))


def test_corrected_address_ends_the_old_links_and_carries_new_ones(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    now = datetime.now(UTC)
    old = token_of(booking, now=now)
    _correct(_sent(reminder_letter(booking, now=now)))

    sent = _mails(sandbox)
    first, second = sent["reminder", 0], sent["reminder", 1]
    with pytest.raises(InvalidToken):
        booking_of_token(old, now=now)
    tokens = {part: TOKEN.findall(second[part]) for part in ("text", "html")}
    assert (old in first["text"], old in second["text"] + second["html"]) == (True, False)
    assert all(tokens.values())
    assert booking_of_token(TOKEN.findall(second["text"])[0], now=now) == booking
    (unsubscribe,) = [value for name, value in second["headers"] if name == "List-Unsubscribe"]
    assert TOKEN.findall(unsubscribe)[0] in second["text"]


def test_same_address_changes_nothing(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    before = Booking.objects.values().get()

    _correct(_confirmed(booking), "JANE@example.com")

    assert Booking.objects.values().get() == before


def test_corrected_receipt_corrects_the_booking_that_it_paid(sandbox: SandboxProcess) -> None:
    booking = make_upcoming(payment=make_payment())
    assert booking.payment is not None
    now = datetime.now(UTC)
    receipt = write_receipt(payment_id=booking.payment.id, now=now)

    _correct(_sent(receipt_letter(booking, receipt, now=now)))

    booking.refresh_from_db()
    assert (booking.customer_email, booking.link_version) == (RIGHT, 2)
    assert receipt.number in _mails(sandbox)["receipt", 1]["text"]


def test_mail_that_went_to_an_earlier_address_changes_nothing_any_more(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    mail = _confirmed(booking)
    _correct(mail)

    with pytest.raises(AddressStays):
        _correct(mail, "jane.d@example.com")

    booking.refresh_from_db()
    assert booking.customer_email == RIGHT


def test_address_waits_until_the_session_stands_in_the_calendar(sandbox: SandboxProcess) -> None:
    """An unanswered call is looked for there by the address that it was made with."""
    mail = _confirmed(make_upcoming(BookingState.PENDING))

    with pytest.raises(BeingPlaced):
        _correct(mail)

    assert (SentMail.objects.count(), Booking.objects.get().customer_email) == (1, "jane@example.com")


def test_address_with_a_free_call_takes_no_second_one(sandbox: SandboxProcess) -> None:
    free = {"session_type": "free", "session_format": None}
    mail = _confirmed(make_upcoming(session_type="free"))
    make_booking(wish=make_wish(**free, customer=JOHN), state=BookingState.PENDING)

    with pytest.raises(FreeCallAlreadyBooked):
        _correct(mail, JOHN.email)


# Consent was given under the first address


def test_corrected_address_ends_the_link_to_the_consent_and_carries_a_new_one(
    client: Client, sandbox: SandboxProcess
) -> None:
    """Whoever reads the wrong mailbox could read what was agreed to, and withdraw it, for seven years."""
    booking = make_upcoming()
    assert booking.consent is not None
    old = f"/consent/{consent_token(booking.consent, now=datetime.now(UTC))}"
    before = client.get(old).status_code

    _correct(_confirmed(booking))

    paths = [old, f"{old}/receipt.json"]
    mail = _mails(sandbox)["confirmation", 1]
    (new,) = set(re.findall(r"/consent/[\w.-]+", mail["text"]))
    statuses = before, *(client.get(path).status_code for path in paths), client.post(f"{old}/withdraw").status_code
    assert (statuses, client.get(new).status_code) == ((200, 404, 404, 404), 200)


def test_withdrawal_is_confirmed_to_the_corrected_address_with_its_own_sessions_alone(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    assert booking.consent is not None
    _correct(_confirmed(booking))
    of_somebody_else = make_upcoming(hour=15)  # under the address that was wrong

    letter = withdrawn_letter(booking.consent, now=datetime.now(UTC))

    booking.refresh_from_db()
    links = [appointment["manage_url"] for appointment in letter.context["appointments"]]
    theirs = [booking_of_token(link.rpartition("/")[2], now=datetime.now(UTC)).id for link in links]
    assert (letter.recipient, theirs) == (booking.customer_email, [booking.id])
    assert of_somebody_else.customer_email != booking.customer_email


def test_corrected_client_is_still_reminded_until_they_withdraw(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    assert booking.consent is not None
    _correct(_confirmed(booking))
    booking.refresh_from_db()
    before = is_wanted(booking)

    withdraw_consent(
        consent_id=booking.consent.id, circumstances=Circumstances(address="203.0.113.7"), now=datetime.now(UTC)
    )

    assert (before, is_wanted(booking)) == (True, False)


# Whom nobody reached


def test_bounce_about_a_session_to_come_is_counted_until_it_is_sent_again(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    make_upcoming(hour=15)
    mail = _confirmed(booking)
    now = datetime.now(UTC)
    before = unreached(now)
    record_bounce(raw=make_report(mail.key), now=now)
    during = unreached(now), list(unreached_bookings(now=now))

    _correct(mail)

    assert (before, during, unreached(now)) == (0, (1, [booking]), 0)


def test_bounce_about_a_session_that_is_over_or_cancelled_is_not_counted(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    mail = _confirmed(booking)
    now = datetime.now(UTC)
    record_bounce(raw=make_report(mail.key), now=now)

    over = unreached(booking.starts_at)
    Booking.objects.update(state=BookingState.CANCELLED)

    assert (over, unreached(now)) == (0, 0)
