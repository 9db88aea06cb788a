"""Consent ends as easily as it begins, and at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from consent.models import ConsentRecord
from consent.queries import is_standing, may_process, with_state
from consent.tests.builders import BROWSER, HERE, NOW, YESTERDAY, make_consent, make_document, publish
from consent.withdrawal import note_expiries, withdraw_consent
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.tests.keys import make_key
from mindfulqalb.outbox.models import OutboxMessage

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db

JANE = "jane@example.com"


@pytest.fixture(autouse=True)
def _document(db: None) -> None:
    publish()


def withdraw(consent: ConsentRecord, now: datetime = NOW) -> list[ConsentRecord]:
    return withdraw_consent(consent_id=consent.id, circumstances=HERE, now=now)


def states() -> list[str]:
    return [row.state for row in with_state(now=NOW).order_by("created_at", "session_type")]


def test_withdrawal_is_a_row_of_its_own_with_its_circumstances() -> None:
    consent = make_consent(now=YESTERDAY)

    (closing,) = withdraw(consent)

    kept = ConsentRecord.objects.get(id=closing.id)
    shown = ("event", "refers_to_id", "email_hash", "consent_version", "document_id", "document_sha256", "session_type")
    assert {name: getattr(kept, name) for name in shown} == {name: getattr(consent, name) for name in shown} | {
        "event": "withdrawn",
        "refers_to_id": consent.id,
    }
    assert (kept.created_at, kept.method, kept.actor, kept.reference, kept.acknowledgments, kept.valid_until) == (
        NOW,
        "link",
        "client",
        f"consent:{consent.id}",
        [],
        NOW,
    )
    assert (kept.email, kept.full_ip_address, kept.user_agent) == (JANE, HERE.address, BROWSER)
    assert (kept.expires_at, states()) == (NOW + timedelta(days=7 * 365), ["withdrawn"])


def test_withdrawal_covers_all_that_the_person_has_agreed_to_and_nobody_else() -> None:
    first = make_consent(now=YESTERDAY)
    make_consent(session_type="couples")
    make_consent(email="john@example.com", session_type="family")

    rows = withdraw(first)

    assert (len(rows), states()) == (2, ["withdrawn", "withdrawn", "valid"])


def test_withdrawal_tells_client_and_staff_with_ids_alone() -> None:
    consent = make_consent()

    withdraw(consent)

    told = OutboxMessage.objects.order_by("sequence").values_list("topic", "lane", "payload")
    payload = {"consent_id": str(consent.id)}
    lane = f"consent:{consent.id}"
    assert list(told) == [("consent.withdrawn", lane, payload), ("consent.withdrawn.staff", lane, payload)]


def test_withdrawal_leaves_an_audit_event_without_the_person() -> None:
    consent = make_consent()

    (closing,) = withdraw(consent)

    event = AuditEvent.objects.get(action="consent.withdrawn")
    assert (event.actor, event.target, event.details) == (
        "client",
        f"consent:{closing.id}",
        {"closes": str(consent.id), "document_sha256": consent.document_sha256, "method": "link"},
    )


def test_withdrawing_twice_is_withdrawing_once() -> None:
    consent = make_consent()

    counts = [len(withdraw(consent)) for _ in range(2)]

    assert (counts, ConsentRecord.objects.count(), OutboxMessage.objects.count()) == ([1, 0], 2, 2)


def test_withdrawal_finds_records_from_before_the_blind_indexs_key_was_rotated(settings: Settings) -> None:
    old = make_consent(now=YESTERDAY)
    settings.BLIND_INDEX_KEY_FALLBACKS = [settings.BLIND_INDEX_KEY]
    settings.BLIND_INDEX_KEY = make_key("rotated")
    new = make_consent()

    withdraw(new)

    assert (old.email_hash == new.email_hash, states(), may_process(email=JANE)) == (
        False,
        ["withdrawn", "withdrawn"],
        False,
    )


def test_database_refuses_a_second_withdrawal_and_one_of_nothing() -> None:
    (closing,) = withdraw(make_consent())

    for again, constraint in ((closing.refers_to_id, "consent_closed_once"), (None, "consent_closes_something")):
        copy = ConsentRecord.objects.get(id=closing.id)
        email = copy.email
        copy._state.adding, copy.pk, copy.refers_to_id = True, ConsentRecord().pk, again
        copy.email, copy.full_ip_address = email, None
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            copy.save(force_insert=True)


@pytest.mark.parametrize(
    ("acts", "allowed"),
    [
        ([], False),
        (["give"], True),
        (["give", "withdraw"], False),
        (["give", "give", "withdraw"], False),
        (["give", "withdraw", "give"], False),
        (["give", "withdraw", "give", "withdraw"], False),
    ],
)
def test_last_act_says_whether_to_go_on(acts: list[str], allowed: bool) -> None:
    given: list[ConsentRecord] = []
    for minutes, act in enumerate(acts):
        moment = NOW + timedelta(minutes=minutes)
        if act == "give":
            given.append(make_consent(now=moment))
        else:
            withdraw(given[-1], moment)

    assert may_process(email="Jane@Example.com ") == allowed


def test_consent_given_anew_counts_once_something_is_booked_with_it() -> None:
    withdraw(make_consent(now=YESTERDAY))
    anew, other = make_consent(), make_consent(email="john@example.com")
    booked = [ConsentRecord.objects.filter(id=row.id).values("id") for row in (anew, other)]

    assert [may_process(email=JANE, acted_on=ids) for ids in (None, *booked)] == [False, True, False]


def test_one_consent_stands_until_it_is_withdrawn() -> None:
    old = make_consent(now=YESTERDAY)
    withdraw(old)
    anew = make_consent()

    assert [is_standing(old), is_standing(anew)] == [False, True]


def test_given_and_withdrawn_in_one_instant_is_withdrawn() -> None:
    withdraw(make_consent())

    assert may_process(email=JANE) is False


def test_going_on_is_asked_per_purpose() -> None:
    make_consent()

    assert [may_process(email=JANE, kind=kind) for kind in ("informed_consent", "marketing", "recording")] == [
        True,
        False,
        False,
    ]


def test_expired_consent_stops_no_reminder_of_what_was_booked_before() -> None:
    make_consent(now=NOW - timedelta(days=400))
    note_expiries(now=NOW)

    assert may_process(email=JANE) is True


def test_consent_to_a_text_that_nobody_knows_allows_nothing(settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"
    make_consent(version="2023-01-01")

    assert may_process(email=JANE) is False


@pytest.mark.parametrize("item_count", [1, 3])
def test_whether_to_go_on_is_one_query(item_count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(item_count):
        make_consent()

    with django_assert_num_queries(1):
        may_process(email=JANE)


def test_expiry_is_noted_once_by_the_system_and_never_about_what_was_withdrawn() -> None:
    expired = make_consent(now=NOW - timedelta(days=400))
    withdrawn = make_consent(now=NOW - timedelta(days=390), session_type="couples")
    for row in (withdrawn,):
        withdraw_consent(consent_id=row.id, circumstances=replace(HERE), now=NOW - timedelta(days=380))
    late = make_consent(now=NOW - timedelta(days=370))
    make_consent(now=YESTERDAY)

    counts = [note_expiries(now=NOW) for _ in range(2)]

    noted = ConsentRecord.objects.get(event="expired")
    assert (counts, noted.refers_to_id, noted.actor, noted.method, noted.full_ip_address) == (
        [1, 0],
        late.id,
        "system",
        "clock",
        None,
    )
    assert with_state(now=NOW).get(id=expired.id).state == "withdrawn"


def test_expiry_goes_on_where_the_limit_cut_it_off() -> None:
    for _ in range(3):
        make_consent(now=NOW - timedelta(days=400))

    assert [note_expiries(now=NOW, limit=2) for _ in range(3)] == [2, 1, 0]


def test_withdrawal_of_a_superseded_consent_takes_the_newer_one_along() -> None:
    first = make_consent(now=YESTERDAY)
    make_document(version="2026-11-30", locale="en")
    make_consent(version="2026-11-30")

    withdraw(first)

    assert states() == ["withdrawn", "withdrawn"]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_withdrawal() -> None:
    publish()
    consent = make_consent()
    start = Barrier(2)

    def click() -> int:
        try:
            start.wait(timeout=10)
            return len(withdraw(consent))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        clicks: list[Any] = [pool.submit(click) for _ in range(2)]
        counts = sorted(attempt.result(timeout=30) for attempt in clicks)

    assert (counts, OutboxMessage.objects.count()) == ([0, 1], 2)
