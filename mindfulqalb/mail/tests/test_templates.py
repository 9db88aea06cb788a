"""What letters say, template by template: those that are there, and those that will be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

from mindfulqalb.mail.services import send_letter
from mindfulqalb.mail.tests.builders import NOW, make_letter

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

FOLDER = django_settings.BASE_DIR / "templates" / "emails"
TEMPLATES = sorted(path.name.removesuffix(".subject.txt") for path in FOLDER.glob("*.subject.txt"))
SUBJECTS = {
    "address_corrected": "The email address for an appointment was changed",
    "cancelled": "Your appointment is cancelled",
    "confirmation": "Your appointment is confirmed",
    "ledger": "Books of 2026-12-01: balanced",
    "moved": "Your appointment has a new time",
    "not_moved_staff": "A new time could not be had",
    "not_moved": "Your appointment stays at its time",
    "pending": "We have received your payment",
    "receipt": "Your receipt R-2026-27-0001",
    "reminder": "A reminder of your appointment",
    "refunded": "Your money is on its way back",
    "unplaced": "Please choose a time for your appointment",
    "slot_lost": "Please choose another time for your appointment",
}
# Others see subjects: on a locked telephone, on a shared screen.
CLINICAL = re.compile(
    r"therap|psych|counsel|couns|mental|health|clinic|patient|treat|depress|anxi|session|individual|couple|famil"
    r"|mindful|doctor|dr\.|consent",
    re.IGNORECASE,
)
HOSTILE = '<b onclick="x">O\'Hara</b>&amp;{{ settings.SECRET_KEY }}'


def mail_of(sandbox: SandboxProcess, template: str, **overrides: Any) -> dict[str, Any]:
    """Send it and fetch what has arrived."""
    send_letter(letter=make_letter(template=template, **overrides), key=uuid4(), now=NOW)
    return sandbox.mailbox()[-1]


def test_every_letter_comes_in_three_parts() -> None:
    missing = [name for name in TEMPLATES for part in ("txt", "html") if not (FOLDER / f"{name}.{part}").exists()]

    assert (missing, sorted(set(SUBJECTS) - set(TEMPLATES))) == ([], [])


@pytest.mark.parametrize("template", SUBJECTS)
def test_subject_is(sandbox: SandboxProcess, template: str) -> None:
    assert mail_of(sandbox, template)["subject"] == SUBJECTS[template]


@pytest.mark.parametrize("template", TEMPLATES)
def test_subject_tells_a_bystander_nothing(sandbox: SandboxProcess, template: str) -> None:
    subject = mail_of(sandbox, template)["subject"]

    assert (CLINICAL.findall(subject), "Jane" in subject, "Individual" in subject) == ([], False, False)


def test_refund_of_an_appointment_that_stands_does_not_read_like_a_cancellation(sandbox: SandboxProcess) -> None:
    mail = mail_of(sandbox, "refunded", context={"stands": True, "reason": "staff"})

    assert mail["subject"] == "Your appointment stays as it is; some money is on its way back"
    assert CLINICAL.findall(mail["subject"]) == []
    assert ("cancel" in mail["text"], "cancel" in mail["html"]) == (False, False)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("cancelled_by_client", "You cancelled this appointment."),
        ("cancelled_by_practice", "We had to cancel this appointment."),
        ("cancelled_in_calendar", "This appointment was cancelled on its calendar page."),
        ("unspent", "This payment was not used for an appointment."),
        ("staff", "The practice has decided to send it back."),
    ],
)
def test_refund_says_how_much_of_what_and_why(sandbox: SandboxProcess, reason: str, sentence: str) -> None:
    context = {"amount": "INR 500.00", "reason": reason, "is_cancelled": reason.startswith("cancelled")}

    mail = mail_of(sandbox, "refunded", context=context)

    said = ("We have sent INR 500.00 of INR 1,299.00 back", sentence, "4 December 2026", "Individual session")
    assert [[part in mail[body] for part in said] for body in ("text", "html")] == [[True] * 4] * 2
    assert ("Your appointment is cancelled." in mail["text"]) == reason.startswith("cancelled")


@pytest.mark.parametrize("template", TEMPLATES)
def test_helplines_and_contact_stand_in_text_and_html(
    sandbox: SandboxProcess, settings: Settings, template: str
) -> None:
    settings.HELPLINES = [{"name": "Line A & B", "phone": "144 16"}, {"name": "Line C", "phone": "1800-599-0019"}]
    settings.PRACTICE_EMAIL = "desk@mindfulqalb.example"

    mail = mail_of(sandbox, template)

    text = mail["text"]
    assert [text.count(line) for line in ("Line A & B: 144 16", "Line C: 1800-599-0019")] == [1, 1]
    calls = re.findall(r'([^>]+): <a href="tel:([^"]+)"[^>]*>([^<]+)</a>', mail["html"])
    assert calls == [("Line A &amp; B", "14416", "144 16"), ("Line C", "1800-599-0019", "1800-599-0019")]
    assert ("desk@mindfulqalb.example" in text, 'href="mailto:desk@mindfulqalb.example"' in mail["html"]) == (
        True,
        True,
    )


@pytest.mark.parametrize("template", TEMPLATES)
def test_hostile_name_is_escaped_in_html_and_left_alone_in_text(sandbox: SandboxProcess, template: str) -> None:
    mail = mail_of(sandbox, template, context={"customer_first_name": HOSTILE})

    escaped = "&lt;b onclick=&quot;x&quot;&gt;O&#x27;Hara&lt;/b&gt;&amp;amp;{{ settings.SECRET_KEY }}"
    assert (mail["html"].count(f"Hello {escaped},"), mail["html"].count('onclick="')) == (1, 0)
    assert mail["text"].splitlines()[0] == f"Hello {HOSTILE},"


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_hostile_in_any_value_becomes_markup(sandbox: SandboxProcess, template: str) -> None:
    names = ("customer_first_name", "session_title", "manage_url", "confirmation_url", "choose_again_url", "amount")

    html = mail_of(sandbox, template, context=dict.fromkeys(names, '"><img src=x onerror=y>'))["html"]

    assert (html.count("<img"), html.count('"&gt;')) == (0, 0)


@pytest.mark.parametrize("template", TEMPLATES)
def test_letter_to_an_erased_person_greets_nobody(sandbox: SandboxProcess, template: str) -> None:
    mail = mail_of(sandbox, template, context={"customer_first_name": ""})

    assert ("Hello" in mail["text"], "Hello" in mail["html"]) == (False, False)


@pytest.mark.parametrize("template", TEMPLATES)
def test_letter_loads_nothing_from_elsewhere(sandbox: SandboxProcess, template: str) -> None:
    html = mail_of(sandbox, template)["html"]

    assert re.findall(r"(?:src|background)=|url\(|@import|<script|<link", html) == []


@pytest.mark.parametrize("template", ["confirmation", "pending", "slot_lost"])
def test_letter_says_when_on_the_practices_clock(sandbox: SandboxProcess, template: str) -> None:
    mail = mail_of(sandbox, template)

    when = "When: Friday, 4 December 2026, 10:00 AM \u2013 11:00 AM (Asia/Kolkata, GMT+5:30)"
    assert [line for line in mail["text"].splitlines() if line.startswith(("When", "What"))] == [
        when,
        "What: Individual session, Video call (60 minutes)",
    ]
    assert [part in mail["html"] for part in ("Friday, 4 December 2026", "10:00 AM \u2013 11:00 AM", "60 minutes")] == [
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("template", "links"),
    [
        ("confirmation", ["https://cal.example/booking/uid?a=1&b=2", "https://site.example/manage/token-1"]),
        ("pending", ["https://site.example/manage/token-1"]),
        (
            "slot_lost",
            ["https://site.example/?session=individual-video&payment=pay_1", "https://site.example/manage/token-1"],
        ),
    ],
)
def test_letter_carries_its_links(sandbox: SandboxProcess, template: str, links: list[str]) -> None:
    mail = mail_of(sandbox, template)

    in_html = [link.replace("&amp;", "&") for link in re.findall(r'href="(https:[^"]+)"', mail["html"])]
    assert (re.findall(r"https://\S+", mail["text"]), in_html) == (links, links)


def test_confirmation_without_a_meeting_link_leaves_it_out(sandbox: SandboxProcess) -> None:
    mail = mail_of(sandbox, "confirmation", context={"confirmation_url": None})

    assert ("Open the appointment" in mail["text"], "Open the appointment" in mail["html"]) == (False, False)


@pytest.mark.parametrize("locale", ["en", "hi", "zz", "../../etc", "x-y_z/%00", "EN-in", "--"])
def test_letter_in_whatever_locale_is_sent(sandbox: SandboxProcess, locale: str) -> None:
    assert mail_of(sandbox, "confirmation", locale=locale)["to"] == ["jane@example.com"]
