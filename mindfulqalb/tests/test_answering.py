"""What persons ask is done: corrected, withdrawn, or kept whom they name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.urls import reverse

from bookings.models import Booking, ReminderRefusal
from bookings.refusals import BeingPlaced, FreeCallAlreadyBooked
from bookings.services.particulars import correct_client
from bookings.tests.builders import JANE, JOHN, NOW, make_booking, make_wish
from consent.models import ConsentRecord
from consent.queries import may_process
from consent.tests.builders import make_consent, publish
from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.encryption.blind_index import email_digest, phone_digest
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.retention.holds import is_held, place_hold
from mindfulqalb.retention.models import Restriction
from mindfulqalb.staff.tests.builders import log_in
from mindfulqalb.subject_requests.answers import Particulars
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.services import (
    IdentityNotVerified,
    NothingToDo,
    answer_request,
    receive_request,
    verify_identity,
)

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

EMAIL, NEW = "jane@example.com", "jane.doe@example.org"
STAFF: dict[str, Any] = {"actor": "staff:1", "now": NOW}


def unverified(kind: str, **particulars: str) -> SubjectRequest:
    """Jane asks; whether it is she is not known yet."""
    return receive_request(kind=kind, email=EMAIL, wish="Please", particulars=Particulars(**particulars), **STAFF)


def asked(kind: str, **particulars: str) -> SubjectRequest:
    """Jane asks, and it is known that it is she."""
    request = unverified(kind, **particulars)
    return verify_identity(request_id=request.id, verification="known", **STAFF)


def answered(request: SubjectRequest) -> int:
    return answer_request(request_id=request.id, reason="She phoned", **STAFF)


def make_ahead(**overrides: Any) -> Booking:
    """A confirmed session that is still to come."""
    begins = NOW + timedelta(days=overrides.pop("days", 3))
    values: dict[str, Any] = {"state": "CONFIRMED", "calcom_booking_id": "uid", "starts_at": begins}
    return make_booking(**(values | {"ends_at": begins + timedelta(hours=1)} | overrides))


# Correction


def test_correction_reaches_all_bookings_of_the_person_and_nobody_elses() -> None:
    make_ahead()
    make_booking(state="CANCELLED", starts_at=NOW - timedelta(days=9), ends_at=NOW - timedelta(days=9, hours=-1))
    make_booking(wish=make_wish(customer=JOHN), state="CANCELLED")

    count = answered(asked("correction", name="Jane Roe", email=NEW, phone="+919812345678"))

    theirs = Booking.objects.filter(customer_email_hash=email_digest(NEW))
    assert (count, {(row.customer_name, row.customer_email, row.customer_phone) for row in theirs}) == (
        2,
        {("Jane Roe", NEW, "+919812345678")},
    )
    others = Booking.objects.exclude(customer_email_hash=email_digest(NEW))
    assert [row.customer_email for row in others] == [JOHN.email]
    assert set(theirs.values_list("customer_phone_hash", flat=True)) == {phone_digest("+919812345678")}


def test_correction_leaves_what_is_not_said() -> None:
    before = make_ahead()

    answered(asked("correction", name="Jane Roe"))

    after = Booking.objects.get()
    assert (after.customer_name, after.customer_email, after.customer_phone, after.customer_email_hash) == (
        "Jane Roe",
        before.customer_email,
        before.customer_phone,
        before.customer_email_hash,
    )
    assert after.customer_phone_hash == before.customer_phone_hash
    assert (after.link_version, OutboxMessage.objects.filter(topic="email.confirmation").count()) == (
        before.link_version,
        0,
    )


def test_correction_is_on_record_with_the_reason_and_without_the_person() -> None:
    booking = make_ahead()

    request = asked("correction", name="Jane Roe", email=NEW)
    answered(request)

    event = AuditEvent.objects.get(action="booking.client_corrected")
    assert (event.target, event.actor, event.reason, event.details) == (
        f"booking:{booking.id}",
        "staff:1",
        "She phoned",
        {"fields": ["name", "email"]},
    )
    answer = AuditEvent.objects.get(action="subject_request.answered")
    assert (answer.target, answer.details) == (f"subject_request:{request.id}", {"kind": "correction", "rows": 1})


def test_new_address_kills_the_old_links_and_gets_the_confirmation_of_what_is_ahead() -> None:
    ahead, over = make_ahead(), make_booking(state="CANCELLED")

    answered(asked("correction", email=NEW))

    versions = {row.id: row.link_version for row in Booking.objects.all()}
    assert versions == {ahead.id: ahead.link_version + 1, over.id: over.link_version + 1}
    mails = OutboxMessage.objects.filter(topic="email.confirmation")
    assert [mail.payload for mail in mails] == [{"booking_id": str(ahead.id)}]


def test_same_address_written_otherwise_kills_no_link() -> None:
    booking = make_ahead()

    answered(asked("correction", email="Jane@Example.com"))

    after = Booking.objects.get()
    assert (after.customer_email, after.link_version) == ("Jane@Example.com", booking.link_version)


def test_holds_restrictions_and_refused_reminders_follow_to_the_new_address() -> None:
    make_ahead()
    place_hold(email=EMAIL, reason="claim", **STAFF)
    Restriction.objects.create(person_hash=email_digest(EMAIL), since=NOW)
    ReminderRefusal.objects.create(email_hash=email_digest(EMAIL), created_at=NOW)

    answered(asked("correction", email=NEW))

    digest = email_digest(NEW)
    assert (
        is_held(email=NEW),
        Restriction.objects.get(person_hash=digest).since,
        ReminderRefusal.objects.filter(email_hash=digest).exists(),
    ) == (True, NOW, True)


def test_consent_stays_as_it_was_given() -> None:
    booking = make_ahead()
    before = list(ConsentRecord.objects.values())

    answered(asked("correction", name="Jane Roe", email=NEW))

    assert (list(ConsentRecord.objects.values()), Booking.objects.get().consent_id) == (before, booking.consent_id)


def test_session_that_is_being_placed_is_corrected_later() -> None:
    make_booking(state="PENDING")

    with pytest.raises(BeingPlaced):
        answered(asked("correction", email=NEW))
    assert AuditEvent.objects.filter(action="subject_request.answered").count() == 0


def test_address_with_a_free_call_of_its_own_is_refused_whole() -> None:
    for days, customer in ((3, JANE), (4, JOHN)):
        make_ahead(wish=make_wish(session_type="free", session_format=None, customer=customer), days=days)

    with pytest.raises(FreeCallAlreadyBooked):
        answered(asked("correction", name="Jane Roe", email=JOHN.email))
    assert Booking.objects.filter(customer_email_hash=email_digest(EMAIL)).count() == 1


def test_correction_by_itself_needs_a_reason() -> None:
    with pytest.raises(ReasonRequired):
        correct_client(email=EMAIL, corrected=Particulars(name="Jane"), reason=" ", **STAFF)


# Withdrawal


def test_withdrawal_is_the_clients_own_done_by_staff() -> None:
    publish()
    make_consent(now=NOW)
    make_consent(session_type="couples", now=NOW)

    count = answered(asked("withdrawal"))

    rows = ConsentRecord.objects.filter(event="withdrawn")
    assert (count, may_process(email=EMAIL)) == (2, False)
    assert {(row.method, row.actor) for row in rows} == {("request", "staff:1")}
    topics = OutboxMessage.objects.filter(topic__startswith="consent.").values_list("topic", flat=True)
    assert sorted(topics) == ["consent.withdrawn", "consent.withdrawn.staff"]


def test_withdrawal_of_nothing_says_so() -> None:
    with pytest.raises(NothingToDo):
        answered(asked("withdrawal"))


# Nomination


def test_nominee_is_kept_encrypted() -> None:
    request = asked("nomination", name="Asha Doe", phone="+919812345678")

    kept = SubjectRequest.objects.get(id=request.id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT person_name_encrypted FROM subject_requests")
        (column,) = cursor.fetchone()
    assert (kept.person_name, kept.person_email, kept.person_phone) == ("Asha Doe", None, "+919812345678")
    assert b"Asha" not in bytes(column)


@pytest.mark.parametrize("kind", ["access", "nomination", "grievance", "erasure"])
def test_what_only_people_can_answer_is_not_answered_by_a_service(kind: str) -> None:
    make_ahead()
    request = asked(kind, **({"name": "Asha", "email": "asha@example.com"} if kind == "nomination" else {}))

    with pytest.raises(NothingToDo):
        answered(request)


# All of them


def test_nothing_is_done_for_whom_nobody_has_verified() -> None:
    make_ahead()

    with pytest.raises(IdentityNotVerified):
        answered(unverified("correction", name="Jane Roe"))


@pytest.mark.parametrize(
    ("kind", "particulars"),
    [
        ("correction", {}),
        ("nomination", {}),
        ("nomination", {"name": "Asha Doe"}),
        ("nomination", {"email": "asha@example.com"}),
        ("access", {"name": "Asha Doe"}),
    ],
)
def test_request_with_too_little_or_too_much_is_refused_by_name(kind: str, particulars: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        asked(kind, **particulars)

    assert (list(refused.value.fields), SubjectRequest.objects.count()) == (["person_name"], 0)


# The admin


ADD = "admin:subject_requests_subjectrequest_add"
CHANGE = "admin:subject_requests_subjectrequest_change"
LIST = "admin:subject_requests_subjectrequest_changelist"


def test_staff_correct_from_the_register(client: Client) -> None:
    log_in(client)
    make_ahead()
    client.post(reverse(ADD), {"kind": "correction", "email": EMAIL, "wish": "", "person_name": "Jane Roe"})
    row = SubjectRequest.objects.get()
    verify_identity(request_id=row.id, verification="known", **STAFF)
    chosen = {"action": "answer", "_selected_action": [str(row.pk)]}

    question = client.post(reverse(LIST), chosen).content.decode()
    client.post(reverse(LIST), chosen | {"confirmed": "yes", "reason": "She phoned"})

    assert ("A correction is made" in question, Booking.objects.get().customer_name) == (True, "Jane Roe")


def test_form_says_what_a_nomination_lacks(client: Client) -> None:
    log_in(client)

    page = client.post(reverse(ADD), {"kind": "nomination", "email": EMAIL, "wish": "", "person_name": "Asha Doe"})

    assert "Say whom they name, and how to reach them" in page.content.decode()
    assert SubjectRequest.objects.count() == 0


def test_nominee_is_shown_masked_and_in_full_for_a_reason(client: Client) -> None:
    log_in(client)
    row = asked("nomination", name="Asha Doe", email="asha@example.com")
    page = reverse(CHANGE, args=[row.pk])

    masked = client.get(page).content.decode()
    client.post(reverse("admin:subject_requests_subjectrequest_reveal", args=[row.pk]), {"reason": "She died"})
    shown = client.get(page).content.decode()

    assert ["Asha Doe" in masked, "A… D…" in masked, "Asha Doe" in shown] == [False, True, True]
    event = AuditEvent.objects.get(action="personal_data.read")
    assert (event.target, event.reason) == (f"subject_request:{row.pk}", "She died")
