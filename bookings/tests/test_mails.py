"""Mails about real bookings, as they arrive."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from icalendar import Calendar

from bookings.letters import confirmation_letter, refunded_letter, slot_lost_letter
from bookings.links import booking_of_token, manage_url
from bookings.practice_time import local
from bookings.receipts import write_refund_note
from bookings.states import BookingState
from bookings.tests.builders import make_payment, make_upcoming, make_wish, next_slot
from bookings.wishes import Customer
from consent.evidence import Circumstances
from consent.withdrawal import withdraw_consent
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.services import Letter, send_letter
from mindfulqalb.mail.states import MailState
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Refund
from payments.states import RefundReason, RefundState

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

CLINICAL = ["therap", "counsel", "psych", "treatment", "patient", "diagnos", "mental"]
ZOE = Customer(name="Zoë<b> O'Neill", email="zoe@example.org", phone=None)


def _send(letter: Letter | None, *, key: UUID | None = None) -> None:
    assert letter is not None
    send_letter(letter=letter, key=key or uuid4(), now=datetime.now(UTC))


def _confirmation(**overrides: Any) -> tuple[Booking, Letter]:
    booking = make_upcoming(**overrides)
    return booking, confirmation_letter(booking, now=datetime.now(UTC))


def _slot_lost() -> tuple[Booking, Letter]:
    booking = make_upcoming(BookingState.REJECTED, payment=make_payment())
    assert booking.payment is not None
    letter = slot_lost_letter(booking, payment_id=booking.payment.id, now=datetime.now(UTC))
    assert letter is not None
    return booking, letter


def _refunded(*, state: BookingState = BookingState.REJECTED, **overrides: Any) -> tuple[Booking, Letter]:
    booking = make_upcoming(state, payment=make_payment(), **overrides)
    assert booking.payment is not None
    refund = Refund.objects.create(
        payment=booking.payment,
        state=RefundState.PROCESSED,
        reason=RefundReason.UNSPENT,
        amount_minor=129950,
        currency="INR",
        actor="system",
        requested_at=datetime.now(UTC),
    )
    note = write_refund_note(refund_id=refund.id, now=datetime.now(UTC))
    letter = refunded_letter(note, now=datetime.now(UTC))
    assert letter is not None
    return booking, letter


@pytest.mark.parametrize(
    ("state", "subject", "standing"),
    [
        (
            BookingState.CONFIRMED,
            "Your appointment stays as it is; some money is on its way back",
            "Your appointment stays as it is.",
        ),
        (BookingState.CANCELLED, "Your money is on its way back", "Your appointment is cancelled."),
        (BookingState.REJECTED, "Your money is on its way back", None),
    ],
)
def test_refund_says_whether_the_appointment_stands(
    state: BookingState, subject: str, standing: str | None, sandbox: SandboxProcess
) -> None:
    booking, letter = _refunded(state=state)
    _send(letter)

    (mail,) = sandbox.mailbox()

    sentences = ("Your appointment stays as it is.", "Your appointment is cancelled.")
    assert (mail["subject"], [each for each in sentences if each in mail["text"]]) == (
        subject,
        [standing] if standing else [],
    )
    assert (f"{local(booking.starts_at):%B %Y}" in mail["text"], "With: Dr. Asha" in mail["text"]) == (True, True)


def _ics(mail: dict[str, Any]) -> dict[str, Any]:
    (attachment,) = mail["attachments"]
    (event,) = Calendar.from_ical(attachment["text"]).walk("VEVENT")
    return dict(event.items())


def _said(mail: dict[str, Any]) -> list[str]:
    return [mail["subject"], mail["text"], mail["html"]]


def test_confirmation_arrives_with_time_link_and_calendar_file(sandbox: SandboxProcess) -> None:
    booking, letter = _confirmation()
    _send(letter)

    (mail,) = sandbox.mailbox()

    start = local(booking.starts_at)
    when = f"{start:%A}, {start.day} {start:%B %Y}, 10:00 AM \u2013 11:00 AM (Asia/Kolkata, GMT+5:30)"
    assert (mail["to"], mail["from"], mail["subject"]) == (
        ["jane@example.com"],
        "MindfulQALB <care@mindfulqalb.com>",
        "Your appointment is confirmed",
    )
    lines = mail["text"].splitlines()
    assert (lines[0], lines[4:7]) == (
        "Hello Jane,",
        [f"When: {when}", "What: Individual session, Video call (60 minutes)", "With: Dr. Asha"],
    )
    assert [(part["filename"], part["contentType"]) for part in mail["attachments"]] == [
        ("session.ics", "text/calendar")
    ]


def test_confirmation_carries_the_same_calendar_file_as_the_page(sandbox: SandboxProcess, client: Client) -> None:
    booking, letter = _confirmation()
    _send(letter)
    (mail,) = sandbox.mailbox()
    link = next(line for line in mail["text"].splitlines() if "/manage/" in line)

    page = client.get("/manage/" + link.rpartition("/manage/")[2] + "/session.ics")

    (event,) = Calendar.from_ical(page.content).walk("VEVENT")
    same = ["UID", "DTSTART", "DTEND", "SUMMARY", "STATUS", "SEQUENCE"]
    assert [str(_ics(mail)[name]) for name in same] == [str(event[name]) for name in same]
    assert str(event["UID"]).startswith(str(booking.id))


def test_confirmation_calendar_file_opens_nothing_and_says_nothing(sandbox: SandboxProcess) -> None:
    slot = local(next_slot())
    wish = make_wish(session_type="couples", day=slot.date(), clock=slot.time())
    _send(_confirmation(wish=wish)[1])

    (mail,) = sandbox.mailbox()

    file = mail["attachments"][0]["text"].lower()
    assert [word for word in [*CLINICAL, "couple", "http", "www", "manage", "jane", "uid1"] if word in file] == []


def test_confirmation_names_the_method_that_calendars_ask_for() -> None:
    booking, letter = _confirmation()

    (attachment,) = letter.attachments

    assert (attachment.media_type, "METHOD:PUBLISH\r\n" in attachment.content) == (
        "text/calendar; method=PUBLISH",
        True,
    )
    assert letter.about == f"booking:{booking.id}"


def test_confirmation_link_opens_the_booking(sandbox: SandboxProcess) -> None:
    booking, letter = _confirmation()
    _send(letter)

    (mail,) = sandbox.mailbox()

    (link,) = [word for word in mail["text"].split() if "/manage/" in word]
    assert booking_of_token(link.rpartition("/")[2], now=datetime.now(UTC)) == booking
    assert f'href="{link}"' in mail["html"]


def test_slot_lost_links_to_another_choice_with_the_money_in_hand(sandbox: SandboxProcess) -> None:
    booking, letter = _slot_lost()
    _send(letter)

    (mail,) = sandbox.mailbox()

    assert booking.payment is not None
    link = letter.context["choose_again_url"]
    assert link.endswith(f"/?session=individual-video&payment={booking.payment.provider_payment_id}")
    assert (link in mail["text"], link.replace("&", "&amp;") in mail["html"]) == (True, True)
    assert "Your payment is safe." in mail["text"]


@pytest.mark.parametrize(
    ("state", "is_withdrawn", "is_late", "sentence"),
    [
        (BookingState.REJECTED, False, False, "this time was no longer free"),
        (BookingState.EXPIRED, False, False, "this time was no longer free"),
        (BookingState.EXPIRED, False, True, "the time of this appointment had passed"),
        (BookingState.EXPIRED, True, False, "You have withdrawn your consent"),
        (BookingState.REJECTED, True, False, "this time was no longer free"),
        (BookingState.CANCELLED, False, False, "after you had let this time go"),
    ],
)
def test_slot_lost_says_why_and_that_it_was_taken_only_where_it_was(
    state: BookingState, is_withdrawn: bool, is_late: bool, sentence: str, sandbox: SandboxProcess
) -> None:
    booking = make_upcoming(state, updated_at=datetime.now(UTC))
    payment = make_payment(reference=str(booking.id), captured_at=next_slot(10 if is_late else 9))
    if is_withdrawn:
        assert booking.consent is not None
        withdraw_consent(consent_id=booking.consent.id, circumstances=Circumstances(), now=datetime.now(UTC))
    _send(slot_lost_letter(booking, payment_id=payment.id, now=datetime.now(UTC)))

    (mail,) = sandbox.mailbox()
    bodies = [" ".join(mail[body].split()) for body in ("text", "html")]
    assert [sentence in body for body in bodies] == [True, True]
    assert [("no longer free" in body) == ("no longer free" in sentence) for body in bodies] == [True, True]


def test_refunded_says_how_much_and_which_payment(sandbox: SandboxProcess) -> None:
    booking, letter = _refunded()
    _send(letter)

    (mail,) = sandbox.mailbox()

    assert booking.payment is not None
    text = " ".join(mail["text"].split())
    assert ("\N{INDIAN RUPEE SIGN}1,299.50" in text, str(booking.payment.provider_payment_id) in text) == (True, True)


@pytest.mark.parametrize("make", [_confirmation, _slot_lost, _refunded])
def test_every_mail_has_both_bodies_helplines_and_a_contact(
    make: Any, sandbox: SandboxProcess, settings: Settings
) -> None:
    _send(make()[1])

    (mail,) = sandbox.mailbox()

    phones = [helpline["phone"] for helpline in settings.HELPLINES]
    for body in (mail["text"], mail["html"]):
        assert [phone for phone in [*phones, settings.PRACTICE_EMAIL, "Hello Jane,"] if phone not in body] == []
        assert ("{{" in body, "{%" in body, "None" in body) == (False, False, False)


@pytest.mark.parametrize("make", [_confirmation, _slot_lost, _refunded])
def test_every_mail_is_silent_about_what_it_is_for(make: Any, sandbox: SandboxProcess) -> None:
    _send(make()[1])

    (mail,) = sandbox.mailbox()

    said = "\n".join(_said(mail)).lower().replace("tele-manas", "")
    assert [word for word in CLINICAL if word in said] == []


@pytest.mark.parametrize("make", [_confirmation, _slot_lost, _refunded])
def test_every_mail_loads_nothing_from_anywhere(make: Any, sandbox: SandboxProcess) -> None:
    _send(make()[1])

    (mail,) = sandbox.mailbox()

    assert [mark for mark in ("<img", "<script", "<link", "url(", "src=") if mark in mail["html"].lower()] == []


@pytest.mark.parametrize("make", [_confirmation, _slot_lost, _refunded])
@pytest.mark.parametrize("locale", ["en", "hi", "xx", "zh-hant", "../../etc", "%s", "C"])
def test_every_mail_goes_out_whatever_language_was_asked_for(locale: str, make: Any, sandbox: SandboxProcess) -> None:
    letter = make()[1]

    _send(Letter(**(vars(letter) | {"locale": locale})))

    assert [mail["to"] for mail in sandbox.mailbox()] == [["jane@example.com"]]


def test_mail_escapes_a_hostile_name_where_it_must(sandbox: SandboxProcess) -> None:
    slot = local(next_slot())
    _send(_confirmation(wish=make_wish(customer=ZOE, day=slot.date(), clock=slot.time()))[1])

    (mail,) = sandbox.mailbox()

    assert (mail["to"], "Hello Zoë<b>," in mail["text"], "<b>" in mail["html"]) == (["zoe@example.org"], True, False)


def test_mail_of_an_erased_person_greets_nobody() -> None:
    letter = _confirmation(customer_name="")[1]

    assert letter.context["customer_first_name"] == ""


def test_mail_is_kept_as_sent_and_sealed(sandbox: SandboxProcess) -> None:
    key = uuid4()
    booking, letter = _confirmation()
    _send(letter, key=key)

    kept = SentMail.objects.get()
    parsed = email.message_from_string(kept.content, policy=email.policy.default)
    (part,) = parsed.iter_attachments()
    assert (kept.about, kept.recipient_hash) == (f"booking:{booking.id}", booking.customer_email_hash)
    assert parsed["Message-ID"] == f"<{key}@mindfulqalb.com>" == sandbox.mailbox()[0]["messageId"]
    assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", "PUBLISH")
    assert "jane" not in str(SentMail.objects.values().get())


@pytest.mark.parametrize(("code", "is_permanent", "kept"), [(451, False, []), (550, True, [MailState.REFUSED])])
def test_mail_that_is_refused_is_kept_only_as_refused_for_good(
    code: int, is_permanent: bool, kept: list[str], sandbox: SandboxProcess
) -> None:
    sandbox.fault("smtp", "status", status=code)

    with pytest.raises(ProviderError) as error:
        _send(_confirmation()[1])

    states = list(SentMail.objects.values_list("state", flat=True))
    assert (error.value.permanent, states, sandbox.mailbox()) == (is_permanent, kept, [])


def test_manage_url_in_the_mail_outlives_the_session() -> None:
    booking = make_upcoming()
    token = manage_url(booking, now=datetime.now(UTC)).rpartition("/")[2]

    assert booking_of_token(token, now=booking.ends_at + timedelta(days=29)) == booking
