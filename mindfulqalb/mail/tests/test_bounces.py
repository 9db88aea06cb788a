"""Mails that did not arrive: refused at once, or reported later."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.mail.bounces import record_bounce
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.outcomes import ImpossibleMove, note_undelivered
from mindfulqalb.mail.queries import undelivered_about
from mindfulqalb.mail.services import send_letter
from mindfulqalb.mail.states import MailState
from mindfulqalb.mail.tests.builders import NOW, make_letter
from mindfulqalb.mail.tests.imap_server import imap_server
from mindfulqalb.mail.tests.reports import HEADERS, NOTHING, WHOLE, make_report
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

KEY = UUID("11111111-2222-4333-8444-555555555555")
HOLIDAY = b"From: jane@example.com\nIn-Reply-To: <%s@mindfulqalb.example>\nAuto-Submitted: auto-replied\n\nI am away."


def send(key: UUID = KEY) -> None:
    send_letter(letter=make_letter(), key=key, now=NOW)


def outcome() -> tuple[str, str, bool]:
    mail = SentMail.objects.get()
    return mail.state, mail.undelivered_status, mail.undelivered_at == NOW


def actions() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.values_list("action", "target"))


def test_mail_refused_for_good_is_on_record(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "status", status=550)

    with pytest.raises(ProviderError):
        send()

    assert outcome() == (MailState.REFUSED, "550", True)
    assert actions() == [("mail.refused", "letter:1")]


def test_mail_refused_for_now_is_not_given_up(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "status", status=451)

    with pytest.raises(ProviderError):
        send()

    assert (SentMail.objects.count(), actions()) == (0, [])


def test_refused_mail_goes_when_it_is_tried_again_and_is_lost_no_more(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "status", status=550)
    with pytest.raises(ProviderError):
        send()

    send()
    send()

    assert (outcome(), len(sandbox.mailbox())) == ((MailState.SENT, "", False), 1)


@pytest.mark.parametrize("returned", [WHOLE, HEADERS])
def test_report_marks_the_mail_that_it_returns(returned: str, sandbox: SandboxProcess) -> None:
    send()
    (sent,) = sandbox.mailbox()
    key = sent["messageId"].strip("<").partition("@")[0]

    assert record_bounce(raw=make_report(key, returned=returned), now=NOW) == 1

    assert outcome() == (MailState.BOUNCED, "5.1.1", True)
    assert actions() == [("mail.bounced", "letter:1")]


def test_report_that_only_refers_to_the_mail_marks_it(sandbox: SandboxProcess) -> None:
    send()

    assert record_bounce(raw=make_report(KEY, returned=NOTHING, refers=True), now=NOW) == 1


def test_second_report_changes_nothing(sandbox: SandboxProcess) -> None:
    send()
    record_bounce(raw=make_report(KEY), now=NOW)

    assert record_bounce(raw=make_report(KEY, status="5.2.2"), now=NOW) == 0

    assert (outcome()[:2], len(actions())) == ((MailState.BOUNCED, "5.1.1"), 1)


def test_bounced_mail_is_not_sent_again_by_a_repeated_message(sandbox: SandboxProcess) -> None:
    send()
    record_bounce(raw=make_report(KEY), now=NOW)

    send()

    assert (outcome()[0], len(sandbox.mailbox())) == (MailState.BOUNCED, 1)


@pytest.mark.parametrize(
    "raw",
    [
        make_report(uuid4()),
        make_report(KEY, action="delayed", status="4.4.1"),
        make_report(KEY, action="delivered", status="2.0.0"),
        make_report(KEY, action="failed", status="4.4.7"),
        make_report(KEY, returned=NOTHING),
        make_report("not-a-key"),
        HOLIDAY % str(KEY).encode(),
        b"",
        b"\xff\xfe\x00",
        make_report(KEY)[:-600],
        b"Content-Type: multipart/report\n\nnothing in it",
        b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--",
    ],
)
def test_whatever_does_not_say_that_our_mail_failed_changes_nothing(raw: bytes, sandbox: SandboxProcess) -> None:
    send()

    assert record_bounce(raw=raw, now=NOW) == 0

    assert (outcome()[0], actions()) == (MailState.SENT, [])


def test_report_about_a_mail_that_never_left_changes_nothing(sandbox: SandboxProcess) -> None:
    sandbox.fault("smtp", "status", status=550)
    with pytest.raises(ProviderError):
        send()

    assert record_bounce(raw=make_report(KEY), now=NOW) == 0

    assert outcome()[0] == MailState.REFUSED


def test_mail_moves_along_the_table_alone(sandbox: SandboxProcess) -> None:
    send()
    mail = SentMail.objects.get()

    with pytest.raises(ImpossibleMove):
        note_undelivered(mail, MailState.REFUSED, status="550", now=NOW)


def test_undelivered_mails_are_found_by_what_they_are_about(sandbox: SandboxProcess) -> None:
    send(uuid4())
    send()
    record_bounce(raw=make_report(KEY), now=NOW)

    assert [mail.key for mail in undelivered_about(["letter:1"])] == [KEY]
    assert list(undelivered_about(["letter:2"])) == []


def test_reports_go_to_a_mailbox_of_their_own_and_answers_to_the_practice(
    sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.BOUNCE_ADDRESS = "bounces@mindfulqalb.example"

    send()

    (mail,) = sandbox.mailbox()
    assert (mail["sender"], mail["from"]) == (
        "bounces@mindfulqalb.example",
        "MindfulQALB <care@mindfulqalb.example>",
    )


def test_command_reads_a_report_from_a_pipe(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(make_report(KEY))))

    call_command("read_bounces", "--stdin")

    assert (capsys.readouterr().out, outcome()[0]) == ("Mails that did not arrive: 1.\n", MailState.BOUNCED)


def test_command_reads_the_mailbox_and_leaves_what_people_wrote(
    sandbox: SandboxProcess, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    send()
    with imap_server("care", "p@ss word", reports=[make_report(KEY), make_report(uuid4())]) as server:
        settings.BOUNCE_IMAP_URL = f"imap://care:p%40ss%20word@127.0.0.1:{server.port}/INBOX"
        for _ in range(2):
            call_command("read_bounces")

    assert capsys.readouterr().out.splitlines() == ["Mails that did not arrive: 1.", "Mails that did not arrive: 0."]
    assert server.seen == ["1", "2"]
    assert server.searches == ['(UNSEEN HEADER Content-Type "multipart/report")'] * 2


def test_report_that_cannot_be_read_does_not_stand_before_the_next(
    sandbox: SandboxProcess, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    send()
    # Python's own parser stumbles over such a Message-ID.
    odd = make_report(KEY).replace(f"<{KEY}@mindfulqalb.example>".encode(), b"<>")
    with imap_server("care", "p@ss word", reports=[odd, make_report(KEY)]) as server:
        settings.BOUNCE_IMAP_URL = f"imap://care:p%40ss%20word@127.0.0.1:{server.port}/INBOX"
        call_command("read_bounces")

    assert capsys.readouterr().out == "Mails that did not arrive: 1.\n"
    assert server.seen == ["1", "2"]


def test_command_without_a_mailbox_says_what_it_needs() -> None:
    with pytest.raises(CommandError, match="BOUNCE_IMAP_URL"):
        call_command("read_bounces")
