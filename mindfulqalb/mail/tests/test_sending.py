"""A letter on its way through a real mail server."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.services import Letter, send_letter
from mindfulqalb.mail.states import MailState
from mindfulqalb.mail.tests.builders import CALENDAR, NOW, make_letter
from mindfulqalb.mail.tests.refusing_server import GREETING, refusing_server
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

KEY = UUID("11111111-2222-4333-8444-555555555555")


def send(letter: Letter | None = None, key: UUID = KEY) -> None:
    send_letter(letter=letter or make_letter(), key=key, now=NOW)


def refusal(letter: Letter | None = None) -> tuple[str, bool]:
    """What the error says, and whether for good."""
    with pytest.raises(ProviderError) as failed:
        send(letter)
    assert SentMail.objects.exclude(state=MailState.REFUSED).count() == 0
    return str(failed.value), failed.value.permanent


def test_letter_arrives_as_text_and_html_with_its_attachment(sandbox: SandboxProcess) -> None:
    send(make_letter(attachments=(CALENDAR,)))

    (mail,) = sandbox.mailbox()
    named = ("from", "sender", "to", "subject", "messageId")
    assert {name: mail[name] for name in named} == {
        "from": "MindfulQALB <care@mindfulqalb.example>",
        "sender": "care@mindfulqalb.example",
        "to": ["jane@example.com"],
        "subject": "Your appointment is confirmed",
        "messageId": f"<{KEY}@mindfulqalb.example>",
    }
    assert mail["text"].splitlines()[0] == "Hello Jane,"
    assert mail["html"].splitlines()[0] == "<!doctype html>"
    (file,) = mail["attachments"]
    assert (file["filename"], file["contentType"], file["text"].splitlines()) == (
        "session.ics",
        "text/calendar",
        ["BEGIN:VCALENDAR", "END:VCALENDAR"],
    )


def test_letter_without_attachment_has_none(sandbox: SandboxProcess) -> None:
    send()

    assert sandbox.mailbox()[0]["attachments"] == []


def test_letter_carries_no_header_but_the_usual(sandbox: SandboxProcess) -> None:
    send()

    names = [name for name, _ in sandbox.mailbox()[0]["headers"]]
    assert names == ["Content-Type", "MIME-Version", "Subject", "From", "To", "Message-ID", "Date"]


def test_letter_to_an_internationalized_domain_goes_by_its_ascii_name(sandbox: SandboxProcess) -> None:
    send(make_letter(recipient="jane@b\u00fccher.example"))

    assert sandbox.mailbox()[0]["to"] == ["jane@xn--bcher-kva.example"]


def test_letter_goes_once_per_key(sandbox: SandboxProcess) -> None:
    for key in (KEY, KEY, uuid4()):
        send(key=key)

    assert (len(sandbox.mailbox()), SentMail.objects.count()) == (2, 2)


def test_letter_is_kept_as_it_was_sent(sandbox: SandboxProcess) -> None:
    send(make_letter(attachments=(CALENDAR,)))

    kept, (sent,) = SentMail.objects.get(), sandbox.mailbox()
    message = email.message_from_bytes(kept.content.encode(), policy=email.policy.default)
    bodies = [message.get_body(preferencelist=(kind,)) for kind in ("plain", "html")]
    assert [body.get_content().splitlines() for body in bodies if body] == [
        sent[kind].splitlines() for kind in ("text", "html")
    ]
    headers = dict(sent["headers"])
    same = ("Subject", "From", "To", "Message-ID", "Date")
    assert {name: str(message[name]) for name in same} == {name: headers[name] for name in same}
    assert [part.get_filename() for part in message.iter_attachments()] == ["session.ics"]


def test_letter_is_noted_with_what_it_was_about(sandbox: SandboxProcess) -> None:
    send()

    kept = SentMail.objects.get()
    assert (kept.key, kept.template, kept.about, kept.sent_at, kept.recipient_hash, str(kept)) == (
        KEY,
        "confirmation",
        "letter:1",
        NOW,
        email_digest("jane@example.com"),
        "confirmation about letter:1 at 2026-12-01 06:00",
    )


def test_letter_is_kept_sealed(sandbox: SandboxProcess) -> None:
    send()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_typeof(content_encrypted)::text, content_encrypted, sent_mails::text FROM sent_mails")
        kind, token, row = cursor.fetchone()
    everything = bytes(token).decode(errors="replace") + row
    assert (kind, [word in everything for word in ("Jane", "jane", "appointment")]) == ("bytea", [False] * 3)


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [(421, False), (451, False), (452, False), (535, False), (550, True), (552, True), (554, True)],
)
def test_refused_mail_is_tried_again_unless_the_mailbox_is_the_reason(
    sandbox: SandboxProcess, status: int, is_permanent: bool
) -> None:
    sandbox.fault("smtp", "status", status=status, message="no, jane@example.com")

    assert refusal() == (f"mail server answered {status}", is_permanent)


def test_refused_mail_goes_at_the_next_try(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "status", status=451)
    refusal()

    send()

    assert [mail["messageId"] for mail in sandbox.mailbox()] == [f"<{KEY}@mindfulqalb.example>"]


@pytest.mark.parametrize(
    ("answer", "is_permanent"), [("550 5.1.1 no such mailbox", True), ("501 bad", True), ("450 greylisted", False)]
)
def test_refused_recipient_is_tried_again_unless_refused_for_good(
    settings: Settings, answer: str, is_permanent: bool
) -> None:
    with refusing_server("RCPT", f"{answer} jane@example.com") as settings.EMAIL_PORT:
        assert refusal() == (f"mail server refused the address: [{answer[:3]}]", is_permanent)


@pytest.mark.parametrize(
    ("command", "answer"),
    [(GREETING, "554 no service"), ("MAIL", "553 sender refused"), ("MAIL", "550 denied"), ("DATA", "503 what?")],
)
def test_what_is_refused_before_the_mail_is_about_us_and_tried_again(
    settings: Settings, command: str, answer: str
) -> None:
    with refusing_server(command, answer) as settings.EMAIL_PORT:
        assert refusal() == (f"mail server answered {answer[:3]}", False)


@pytest.mark.parametrize("kind", ["refuse", "hang"])
def test_broken_connection_is_tried_again(sandbox: SandboxProcess, settings: Settings, kind: str) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    sandbox.fault("smtp", kind)

    said, is_permanent = refusal()

    assert (said.split(": ")[0], is_permanent) == ("mail server could not be reached", False)


def test_mail_server_that_is_not_there_is_asked_again(settings: Settings) -> None:
    settings.EMAIL_PORT = 1

    assert refusal() == ("mail server could not be reached: ConnectionRefusedError", False)


def test_lost_answer_sends_twice_under_one_message_id(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "drop")
    refusal()

    send()

    assert [mail["messageId"] for mail in sandbox.mailbox()] == [f"<{KEY}@mindfulqalb.example>"] * 2


def test_letter_to_nobody_is_not_taken_for_sent(sandbox: SandboxProcess) -> None:
    assert refusal(make_letter(recipient="")) == ("letter without recipient", True)


@pytest.mark.parametrize(
    "recipient",
    [
        "jane@example.com\nBcc: everybody@example.com",
        "jane@example.com\r\n\r\nAnother mail",
        "jane@example.com, everybody@example.com",
        "Jane <jane@example.com>, everybody@example.com",
    ],
)
def test_recipient_cannot_carry_a_header_or_a_second_recipient(sandbox: SandboxProcess, recipient: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid address|newlines"):
        send(make_letter(recipient=recipient))

    assert (sandbox.mailbox(), SentMail.objects.count()) == ([], 0)


@pytest.mark.parametrize("injected", ["x\nBcc: everybody@example.com", "x\r\n\r\n.\r\nMAIL FROM:<a@example.com>"])
def test_context_cannot_carry_a_header_or_a_second_mail(sandbox: SandboxProcess, injected: str) -> None:
    context: dict[str, Any] = dict.fromkeys(("customer_first_name", "session_title", "manage_url"), injected)

    send(make_letter(context=context))

    (mail,) = sandbox.mailbox()
    names = [name for name, _ in mail["headers"]]
    assert (names, mail["to"]) == (
        ["Content-Type", "MIME-Version", "Subject", "From", "To", "Message-ID", "Date"],
        ["jane@example.com"],
    )
    assert mail["text"].replace("\r", "").count(injected.replace("\r", "")) == 3
