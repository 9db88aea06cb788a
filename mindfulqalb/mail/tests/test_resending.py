"""A mail once more: the same words, to the same or another address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.mail.bounces import record_bounce
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.queries import undelivered_about
from mindfulqalb.mail.resending import AddressStays, AlreadyOnItsWay, NoSuchAddress, resend_letter
from mindfulqalb.mail.services import send_letter
from mindfulqalb.mail.states import MailState
from mindfulqalb.mail.tests.builders import CALENDAR, NOW, make_letter
from mindfulqalb.mail.tests.reports import make_report
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

KEY = UUID("11111111-2222-4333-8444-555555555555")
SAME = ("subject", "text", "html", "from")


def sent_mail(key: UUID = KEY, **overrides: object) -> SentMail:
    send_letter(letter=make_letter(attachments=(CALENDAR,), **overrides), key=key, now=NOW)
    return SentMail.objects.get(key=key)


def resend(mail: SentMail, recipient: str = "", reason: str = "She phoned") -> SentMail:
    return resend_letter(mail_id=mail.id, actor="staff:7", recipient=recipient, reason=reason, now=NOW)


def press(client: Client, *mails: SentMail, **more: str) -> str:
    data = {"action": "resend", ACTION_CHECKBOX_NAME: [str(mail.pk) for mail in mails]} | more
    response = client.post(reverse("admin:mail_sentmail_changelist"), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("locale", ["en", "hi"])
def test_copy_says_the_same_and_goes_once_under_a_name_of_its_own(locale: str, sandbox: SandboxProcess) -> None:
    copy = resend(sent_mail(locale=locale, headers={"List-Unsubscribe": "<https://site.example/stop>"}))
    for _ in range(2):
        deliver_due(now=NOW, limit=5)

    first, second = sorted(sandbox.mailbox(), key=lambda mail: str(KEY) not in mail["messageId"])
    assert [second[name] for name in SAME] == [first[name] for name in SAME]
    assert (second["to"], second["messageId"]) == (["jane@example.com"], f"<{copy.key}@mindfulqalb.example>")
    assert ["List-Unsubscribe", "<https://site.example/stop>"] in [list(header) for header in second["headers"]]
    files = [
        [(part["filename"], part["contentType"], part["text"].split()) for part in mail["attachments"]]
        for mail in (first, second)
    ]
    assert files[0] == files[1]


def test_copy_keeps_a_file_that_is_no_text(sandbox: SandboxProcess) -> None:
    sealed = CALENDAR.__class__("R-1.pdf", b"%PDF-1.7 \x00\xff\r\n\n", "application/pdf")
    send_letter(letter=make_letter(attachments=(sealed,)), key=KEY, now=NOW)
    resend(SentMail.objects.get())
    deliver_due(now=NOW, limit=5)

    first, second = sandbox.mailbox()
    assert (second["attachments"], second["attachments"][0]["filename"]) == (first["attachments"], "R-1.pdf")


def test_copy_of_a_calendar_file_keeps_its_method(sandbox: SandboxProcess) -> None:
    copy = resend(sent_mail())

    assert 'text/calendar; method="PUBLISH"; charset="utf-8"' in copy.content


def test_copy_of_a_mail_that_no_booking_has_goes_to_its_first_reader_alone(sandbox: SandboxProcess) -> None:
    mail = sent_mail()

    with pytest.raises(AddressStays):
        resend(mail, "jane.doe@example.org")

    assert (SentMail.objects.count(), OutboxMessage.objects.count(), AuditEvent.objects.count()) == (1, 0, 0)


def test_copy_to_another_address_is_refused_without_a_reason(sandbox: SandboxProcess) -> None:
    with pytest.raises(ReasonRequired):
        resend(sent_mail(), "jane.doe@example.org", reason=" ")


def test_copy_that_arrives_settles_what_was_lost_and_one_that_is_lost_too_does_not(sandbox: SandboxProcess) -> None:
    mail = sent_mail()
    record_bounce(raw=make_report(KEY), now=NOW)
    copy = resend(mail)
    assert [lost.id for lost in undelivered_about(["letter:1"])] == [mail.id]

    deliver_due(now=NOW, limit=5)
    assert list(undelivered_about(["letter:1"])) == []

    record_bounce(raw=make_report(copy.key), now=NOW)
    assert {lost.id for lost in undelivered_about(["letter:1"])} == {mail.id, copy.id}


def test_copy_that_is_refused_is_on_record_and_its_message_dead(sandbox: SandboxProcess) -> None:
    copy = resend(sent_mail())
    sandbox.fault("smtp", "status", status=550)

    deliver_due(now=NOW, limit=5)

    copy.refresh_from_db()
    assert (copy.state, copy.undelivered_status, OutboxMessage.objects.get().state) == (
        MailState.REFUSED,
        "550",
        State.DEAD,
    )


def test_copy_is_asked_for_once_until_it_has_gone(sandbox: SandboxProcess) -> None:
    mail = sent_mail()
    copy = resend(mail)

    for again in (mail, copy):
        with pytest.raises(AlreadyOnItsWay):
            resend(again)
    deliver_due(now=NOW, limit=5)
    resend(mail)

    assert SentMail.objects.filter(copy_of=mail).count() == 2


@pytest.mark.parametrize(
    "recipient", ["jane", "jane@", "jane@example.com\nBcc: all@example.com", "a@b.example, c@d.example"]
)
def test_copy_to_what_is_no_address_is_refused(recipient: str, sandbox: SandboxProcess) -> None:
    with pytest.raises(NoSuchAddress):
        resend(sent_mail(), recipient)

    assert (SentMail.objects.count(), OutboxMessage.objects.count(), AuditEvent.objects.count()) == (1, 0, 0)


def test_staff_are_asked_before_a_mail_goes_again(client: Client, sandbox: SandboxProcess) -> None:
    client.force_login(make_member("Front desk"))
    mail = sent_mail()

    asked = press(client, mail)
    assert ("To another address" in asked, "jane" in asked, OutboxMessage.objects.count()) == (True, False, 0)

    said = press(client, mail, confirmed="yes", reason=" She phoned ")
    assert "Mails sent again: 1." in said
    assert SentMail.objects.get(copy_of=mail).recipient_hash == mail.recipient_hash
    event = AuditEvent.objects.get(action="mail.resent")
    assert (event.reason, event.details and event.details["corrected"]) == ("She phoned", False)


def test_staff_cannot_send_two_peoples_mails_to_one_address(client: Client, sandbox: SandboxProcess) -> None:
    client.force_login(make_member("Front desk"))
    mails = [sent_mail(), sent_mail(UUID(int=7), recipient="john@example.com")]

    said = press(client, *mails, confirmed="yes", input="jane.doe@example.org", reason="They ask")

    assert ("choose one&#x27;s alone" in said, SentMail.objects.filter(copy_of__isnull=False).count()) == (True, 0)


def test_staff_without_the_permission_cannot_send_again(client: Client, sandbox: SandboxProcess) -> None:
    client.force_login(make_member("Therapist"))

    response = client.post(reverse("admin:mail_sentmail_changelist"), {"action": "resend", "confirmed": "yes"})

    assert response.status_code == 403


def test_list_of_mails_that_never_arrived_is_a_filter_away(client: Client, sandbox: SandboxProcess) -> None:
    client.force_login(make_member("Front desk"))
    sent_mail(UUID(int=7), about="letter:2")
    sent_mail()
    record_bounce(raw=make_report(KEY), now=NOW)

    page = client.get(reverse("admin:mail_sentmail_changelist"), {"state__exact": "BOUNCED"}).content.decode()

    assert ("letter:1" in page, "letter:2" in page, "5.1.1" in page) == (True, False, True)
