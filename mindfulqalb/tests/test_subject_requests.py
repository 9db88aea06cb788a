"""What persons ask about their own data: a register, and everything that any app holds on them."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from bookings.consents import acted_on
from bookings.tests.builders import JOHN, NOW, make_booking, make_payment, make_wish
from consent.queries import may_process
from consent.tests.builders import make_consent
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.encryption.fields import encrypted_fields, encrypted_models
from mindfulqalb.mail.models import SentMail
from mindfulqalb.retention.models import Restriction
from mindfulqalb.retention.registry import kinds, ownerships
from mindfulqalb.staff.tests.builders import log_in
from mindfulqalb.subject_requests.gathering import gather, held_on
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.services import (
    IdentityNotVerified,
    RequestClosed,
    begin_erasure,
    close_request,
    receive_request,
    verify_identity,
)
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.receipts.services import Recipient, issue_receipt

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

EMAIL = "jane@example.com"
STAFF: dict[str, Any] = {"actor": "staff:1", "now": NOW}
# Encrypted, and nobody's whom an email could find.
FOUND_OTHERWISE = {
    "staff.Authenticator": "a secret of staff, and no record about a client",
    "idempotency.KeptAnswer": "gone within a day, and known by nothing but a digest of the request",
    "bulk_actions.BulkAction": "what staff typed, forgotten as soon as it is done",
    "retention.LegalHold": "the practice's reason to keep, not the person's; the address stands in what is held",
    "retention.Restriction": "what they asked for themselves, with an address that goes when it is done",
}


def make_request(kind: str = "access", **overrides: Any) -> SubjectRequest:
    """Jane asks."""
    return receive_request(**({"kind": kind, "email": EMAIL, "wish": "Please", **STAFF} | overrides))


def make_traces() -> None:
    """Jane's session with all that it left, and John's."""
    payment = make_payment(reference="none")
    booking = make_booking(payment=payment, state="CANCELLED")
    issue_receipt(payment_id=payment.id, recipient=Recipient(name="Jane Doe"), now=NOW)
    SentMail.objects.create(
        key=booking.id,
        template="confirmation",
        about=f"booking:{booking.id}",
        recipient_hash=email_digest(EMAIL),
        content="Dear Jane",
        sent_at=NOW,
    )
    make_webhook(f"payment:{payment.id}")
    johns = make_payment(reference="none")
    make_booking(wish=make_wish(customer=JOHN), payment=johns, state="CANCELLED")
    make_webhook(f"payment:{johns.id}")


def make_webhook(about: str) -> None:
    WebhookDelivery.objects.create(
        vendor="razorpay", event_id=about, event_type="payment.captured", body="{}", about=about, received_at=NOW
    )


# The register


def test_request_is_due_by_its_kind_and_on_record() -> None:
    due = [(make_request(kind).due_at - NOW).days for kind in ("access", "grievance")]

    event = AuditEvent.objects.filter(action="subject_request.received").latest("recorded_at")
    assert (due, EMAIL in str(event.details), event.actor) == ([30, 90], False, "staff:1")


@pytest.mark.parametrize("act", [begin_erasure, close_request])
def test_nothing_is_done_for_whom_nobody_has_verified(act: Any) -> None:
    request = make_request("erasure")
    extra = {"outcome": "done"} if act is close_request else {}

    with pytest.raises(IdentityNotVerified):
        act(request_id=request.id, reason="asked", **extra, **STAFF)


def test_closed_request_stays_as_it_ended() -> None:
    request = make_request()
    verify_identity(request_id=request.id, verification="signed_link", **STAFF)
    close_request(request_id=request.id, outcome="done", reason="sent", **STAFF)

    with pytest.raises(RequestClosed):
        close_request(request_id=request.id, outcome="refused", reason="no", **STAFF)
    with pytest.raises(RequestClosed):
        verify_identity(request_id=request.id, verification="known", **STAFF)
    assert SubjectRequest.objects.get().outcome == "done"


def test_erasure_stops_the_use_of_data_at_once_and_until_consent_is_given_anew() -> None:
    make_traces()
    request = make_request("erasure")
    verify_identity(request_id=request.id, verification="known", **STAFF)
    before = may_process(email=EMAIL)

    for _ in range(2):
        begin_erasure(request_id=request.id, reason="asked", **STAFF)
    after = may_process(email=EMAIL)
    anew = make_consent(now=NOW.replace(hour=9))
    by_itself = may_process(email=EMAIL)
    make_booking(state="PENDING", consent=anew)
    with_a_booking = may_process(email=EMAIL, acted_on=acted_on())

    assert (before, after, by_itself, with_a_booking, may_process(email=JOHN.email)) == (True, False, False, True, True)
    assert (Restriction.objects.count(), AuditEvent.objects.filter(action="subject_request.erasure_begun").count()) == (
        1,
        1,
    )


# Gathering


def test_everything_about_a_person_is_found_and_nothing_about_another() -> None:
    make_traces()
    make_request()

    held = held_on(" JANE@example.com")

    assert {kind: len(rows) for kind, rows in held.items()} == {
        "booking": 1,
        "consent": 1,
        "mail": 1,
        "payment": 1,
        "receipt": 1,
        "subject_request": 1,
        "webhook": 1,
    }
    assert (held["booking"][0]["customer_email"], "Jane Doe" in held["receipt"][0]["content"]) == (EMAIL, True)
    assert "john" not in str(held).lower()


def test_nobody_forgets_an_encrypted_field() -> None:
    gathered = {item.model for kind, item in kinds.items() if item.person or item.about or ownerships[kind]}

    ours = {model for model in encrypted_models() if encrypted_fields(model) and model._meta.app_label != "notebook"}

    assert {model._meta.label for model in ours - gathered} == set(FOUND_OTHERWISE)


def test_gathering_is_a_read_on_record_with_a_reason() -> None:
    make_traces()

    with pytest.raises(ReasonRequired):
        gather(email=EMAIL, reason=" ", **STAFF)
    gather(email=EMAIL, reason="request 12", target="subject_request:1", **STAFF)

    event = AuditEvent.objects.get(action="personal_data.read")
    assert (event.target, event.reason, EMAIL in str(event.details)) == ("subject_request:1", "request 12", False)


@pytest.mark.parametrize("html", [False, True])
def test_command_prints_it_for_programs_and_for_people(html: bool) -> None:
    make_traces()
    out = StringIO()

    call_command("gather_held", EMAIL, reason="request 12", html=html, stdout=out)

    text = out.getvalue()
    assert ("<h1>" in text, EMAIL in text) == (html, True)
    assert html or json.loads(text)["booking"][0]["customer_name"] == "Jane Doe"


# The admin


def act(client: Client, action: str, row: SubjectRequest, **sent: str) -> Any:
    chosen = {"action": action, "_selected_action": [str(row.pk)]}
    return client.post(reverse("admin:subject_requests_subjectrequest_changelist"), chosen | sent)


def test_staff_take_a_request_in_and_move_it_by_actions(client: Client) -> None:
    log_in(client)
    page = reverse("admin:subject_requests_subjectrequest_add")

    client.post(page, {"kind": "erasure", "email": EMAIL, "wish": "All of it"})
    row = SubjectRequest.objects.get()
    act(client, "verified_known", row)
    act(client, "begin_erasure", row, confirmed="yes", reason="asked")
    act(client, "closed_partly", row)

    row.refresh_from_db()
    assert (row.email, row.verification, row.outcome, Restriction.objects.count()) == (EMAIL, "known", "partly", 1)


@pytest.mark.parametrize("action", ["gather_json", "gather_page"])
def test_staff_gather_with_a_reason_and_not_without(client: Client, action: str) -> None:
    log_in(client)
    make_traces()
    row = make_request()
    verify_identity(request_id=row.id, verification="known", **STAFF)

    asked, unreasoned = act(client, action, row), act(client, action, row, confirmed="yes")
    given = act(client, action, row, confirmed="yes", reason="their request")

    assert ('name="reason"' in asked.content.decode(), unreasoned.status_code) == (True, 302)
    assert (given.status_code, "no-store" in given["Cache-Control"], EMAIL in given.content.decode()) == (
        200,
        True,
        True,
    )
    assert AuditEvent.objects.filter(action="personal_data.read").count() == 1


@pytest.mark.parametrize(
    ("kind", "steps", "sentence"),
    [
        ("access", [], "Note first how their identity was verified"),
        ("erasure", ["verified_known"], "did not ask to see what is held"),
        ("access", ["verified_known", "closed_done"], "This request is closed"),
    ],
)
@pytest.mark.parametrize("action", ["gather_json", "gather_page"])
def test_nothing_is_handed_out_but_to_whoever_asked_and_is_known(
    client: Client, action: str, kind: str, steps: list[str], sentence: str
) -> None:
    log_in(client)
    row = make_request(kind)
    for step in steps:
        act(client, step, row)

    answer = act(client, action, row, confirmed="yes", reason="their request")

    assert (answer.status_code, sentence in client.get(answer["Location"]).content.decode()) == (302, True)
    assert AuditEvent.objects.filter(action="personal_data.read").count() == 0
