"""The mail server and its mailbox."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

CALENDAR = "BEGIN:VCALENDAR\r\nSUMMARY:Gespr\u00e4ch\r\nEND:VCALENDAR\r\n"


def letter(subject: str = "Your session is booked") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "MindfulQALB <care@mindfulqalb.com>"
    message["To"] = "asha@example.com"
    message["Subject"] = subject
    message["Message-ID"] = "<17@mindfulqalb.com>"
    message.set_content("Hello Asha, see https://site.example/manage/abc")
    message.add_alternative("<p>Hello <b>Asha</b></p><script>alert(1)</script>", subtype="html")
    message.add_attachment(CALENDAR, subtype="calendar", filename="session.ics")
    message.add_attachment(b"\x00\xff", maintype="application", subtype="octet-stream", filename="raw.bin")
    return message


def send(sandbox: SandboxProcess, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=10) as connection:
        connection.send_message(message)


def get(sandbox: SandboxProcess, path: str) -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", timeout=10)


def test_mail_is_kept_with_all_its_parts(sandbox: SandboxProcess) -> None:
    send(sandbox, letter("Gru\u00df \u20ac"))

    mail = sandbox.mailbox()[0]

    expected = {
        "from": "MindfulQALB <care@mindfulqalb.com>",
        "to": ["asha@example.com"],
        "subject": "Gru\u00df \u20ac",
        "messageId": "<17@mindfulqalb.com>",
    }
    assert {name: mail[name] for name in expected} == expected
    assert mail["text"].strip() == "Hello Asha, see https://site.example/manage/abc"
    assert "<b>Asha</b>" in mail["html"]
    calendar, raw = mail["attachments"]
    assert (calendar["filename"], calendar["contentType"]) == ("session.ics", "text/calendar")
    assert calendar["text"].splitlines() == CALENDAR.splitlines()
    assert raw == {"filename": "raw.bin", "contentType": "application/octet-stream", "size": 2, "text": None}


def test_mails_are_listed_in_the_order_of_arrival_and_emptied(sandbox: SandboxProcess) -> None:
    for subject in ("one", "two", "three"):
        send(sandbox, letter(subject))
    subjects = [mail["subject"] for mail in sandbox.mailbox()]

    sandbox.empty_mailbox()

    assert (subjects, sandbox.mailbox()) == (["one", "two", "three"], [])


def test_attachment_is_downloaded_as_it_was_sent(sandbox: SandboxProcess) -> None:
    send(sandbox, letter())
    number = sandbox.mailbox()[0]["id"]

    response = get(sandbox, f"/mail/{number}/attachments/1")

    assert response.content == b"\x00\xff"
    assert response.headers["Content-Disposition"] == 'attachment; filename="raw.bin"'
    assert get(sandbox, f"/mail/{number}/attachments/2").status_code == 404


def test_letter_page_runs_nothing_of_the_letter(sandbox: SandboxProcess) -> None:
    send(sandbox, letter())
    number = sandbox.mailbox()[0]["id"]

    page, html = get(sandbox, f"/mail/{number}"), get(sandbox, f"/mail/{number}/html")

    assert "alert(1)" not in page.text
    assert 'href="https://site.example/manage/abc"' in page.text
    assert html.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "sandbox allow-popups" in html.headers["Content-Security-Policy"]
    assert get(sandbox, "/mail/999999").status_code == 404


@pytest.mark.parametrize("status", [451, 550])
def test_status_refuses_the_mail(sandbox: SandboxProcess, status: int) -> None:
    sandbox.fault("smtp", "status", status=status, message="Not now")

    with pytest.raises(smtplib.SMTPDataError) as caught:
        send(sandbox, letter())

    assert (caught.value.smtp_code, caught.value.smtp_error) == (status, b"Not now")
    assert sandbox.mailbox() == []


@pytest.mark.parametrize(("kind", "kept"), [("drop", 1), ("refuse", 0)])
def test_lost_connection_has_kept_the_mail_or_not(sandbox: SandboxProcess, kind: str, kept: int) -> None:
    sandbox.fault("smtp", kind)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        send(sandbox, letter())

    assert len(sandbox.mailbox()) == kept
    send(sandbox, letter())
    assert len(sandbox.mailbox()) == kept + 1


def test_hanging_server_times_out(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "hang", seconds=5)

    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        hurried_send(sandbox)

    assert sandbox.mailbox() == []


def hurried_send(sandbox: SandboxProcess) -> None:
    connection = smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=0.4)
    try:
        connection.send_message(letter())
    finally:
        connection.close()
