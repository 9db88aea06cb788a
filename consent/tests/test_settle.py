"""The consent that a booking stands on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from consent.models import ConsentDocument, ConsentRecord
from consent.queries import newest_valid_record
from consent.refusals import ConsentExpired, ConsentRequired, ConsentWithdrawn
from consent.tests.builders import HERE, NOW, TICKED, YESTERDAY, make_consent, make_document, publish, settle
from consent.withdrawal import withdraw_consent
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.tests.doors import open_door
from mindfulqalb.encryption.tests.keys import make_key

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

pytestmark = pytest.mark.django_db

NOT_COVERED = {"consentId": ["This consent does not cover the booking."]}


@pytest.fixture(autouse=True)
def _document(db: None) -> None:
    publish()


def refusal(**overrides: Any) -> dict[str, list[str]]:
    """What the refused booking is told."""
    with pytest.raises(ConsentRequired) as refused:
        settle(**overrides)
    assert (refused.value.status, refused.value.code) == (400, "consent_required")
    return refused.value.fields


def test_named_consent_is_taken_even_when_a_newer_one_is_there() -> None:
    named = make_consent(now=YESTERDAY)
    make_consent()

    assert settle(consent_id=named.id) == named


@pytest.mark.parametrize("accepted", [True, False])
def test_named_consent_needs_no_second_box(accepted: bool) -> None:
    named = make_consent()

    assert settle(consent_id=named.id, accepted=accepted) == named


@pytest.mark.parametrize("email", ["JANE@example.com", " jane@EXAMPLE.com "])
def test_named_consent_is_found_in_any_spelling_of_the_email(email: str) -> None:
    named = make_consent()

    assert settle(consent_id=named.id, email=email) == named


@pytest.mark.parametrize(
    "booking",
    [
        {"email": "john@example.com"},
        {"session_type": "couples"},
        {"consent_id": uuid4()},
    ],
)
def test_named_consent_that_does_not_fit_is_refused_and_none_made_instead(booking: dict[str, Any]) -> None:
    named = make_consent()

    assert refusal(**{"consent_id": named.id, "accepted": True} | booking) == NOT_COVERED
    assert ConsentRecord.objects.count() == 1


def test_named_consent_that_has_expired_is_refused_with_a_code_of_its_own() -> None:
    named = make_consent()

    with pytest.raises(ConsentExpired) as refused:
        settle(consent_id=named.id, now=NOW + timedelta(days=365))

    assert (refused.value.status, refused.value.code, refused.value.fields) == (
        409,
        "consent_expired",
        {"consentId": [ConsentExpired.sentence]},
    )


def test_named_consent_that_was_withdrawn_is_refused_with_a_code_of_its_own() -> None:
    named = make_consent()
    withdraw_consent(consent_id=named.id, circumstances=HERE, now=NOW)

    with pytest.raises(ConsentWithdrawn) as refused:
        settle(consent_id=named.id)

    assert (refused.value.status, refused.value.code, refused.value.fields) == (
        409,
        "consent_withdrawn",
        {"consentId": [ConsentWithdrawn.sentence]},
    )


def test_expired_and_withdrawn_consent_of_another_person_says_nothing_about_them() -> None:
    named = make_consent()
    withdraw_consent(consent_id=named.id, circumstances=HERE, now=NOW)

    assert refusal(consent_id=named.id, email="john@example.com") == NOT_COVERED


def test_box_in_a_booking_after_a_withdrawal_is_a_new_consent() -> None:
    withdraw_consent(consent_id=make_consent(now=YESTERDAY).id, circumstances=HERE, now=YESTERDAY)

    anew = settle()

    assert (anew.event, anew.refers_to, anew.method, settle()) == ("given", None, "booking", anew)


def test_superseded_consent_still_covers_the_booking_that_was_begun_with_it() -> None:
    named = make_consent(now=YESTERDAY)
    make_document(version="2026-11-30", locale="en")
    make_consent(version="2026-11-30")

    assert settle(consent_id=named.id) == named


def test_named_consent_to_an_unknown_text_is_refused(settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"
    flagged = make_consent(version="2023-01-01")

    assert refusal(consent_id=flagged.id) == NOT_COVERED


def test_without_a_name_the_newest_valid_record_counts() -> None:
    make_consent(now=NOW - timedelta(days=30))
    newest = make_consent(now=YESTERDAY)
    make_consent(now=NOW - timedelta(days=60))

    assert (settle(), ConsentRecord.objects.count()) == (newest, 3)


@pytest.mark.parametrize(
    "other",
    [
        {"email": "john@example.com"},
        {"session_type": "couples"},
        {"now": NOW - timedelta(days=365)},
        {"version": "2023-01-01"},
    ],
)
def test_other_records_do_not_count(other: dict[str, Any], settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"
    make_consent(**{"now": YESTERDAY} | other)

    assert newest_valid_record(email="jane@example.com", session_type="individual", now=NOW) is None
    assert (settle().created_at, ConsentRecord.objects.count()) == (NOW, 2)


def test_without_record_one_is_made_from_the_box_in_the_booking() -> None:
    made = settle()

    document = ConsentDocument.objects.get()
    assert (made.method, made.document, made.acknowledgments, made.consent_version, made.email, made.ip_address) == (
        "booking",
        document,
        TICKED,
        "2024-01-15",
        "jane@example.com",
        "203.0.113.0",
    )
    event = AuditEvent.objects.get()
    assert (event.target, event.details["method"]) == (f"consent:{made.id}", "booking")


def test_record_made_from_a_booking_is_to_the_text_in_force() -> None:
    make_document(version="2026-11-30", locale="en", published_at=NOW)
    make_document(version="2026-12-24", locale="en", published_at=NOW + timedelta(days=1))

    assert settle().consent_version == "2026-11-30"


def test_record_made_from_a_booking_is_to_the_text_in_the_clients_language() -> None:
    hindi = make_document(locale="hi")

    made = settle(circumstances=replace(HERE, locale="hi"))

    assert (made.document, made.locale) == (hindi, "hi")


def test_second_booking_stands_on_the_record_that_the_first_made() -> None:
    first = settle()

    assert settle(now=NOW + timedelta(minutes=1)) == first


@pytest.mark.parametrize("is_there", [True, False])
def test_booking_without_any_word_of_consent_is_refused(is_there: bool) -> None:
    for _ in range(is_there):
        make_consent()

    assert refusal(accepted=False) == {"consentAccepted": ["Please accept the consent."]}


def test_booking_without_a_text_to_accept_is_refused() -> None:
    open_door("retention")
    ConsentDocument.objects.all().delete()

    assert refusal() == {"consentAccepted": ["There is no consent text to accept."]}


def test_records_are_found_after_the_blind_indexs_key_was_rotated(settings: Settings) -> None:
    old = make_consent(now=YESTERDAY)
    settings.BLIND_INDEX_KEY_FALLBACKS = [settings.BLIND_INDEX_KEY]
    settings.BLIND_INDEX_KEY = make_key("rotated")

    found = [settle(), settle(consent_id=old.id)]

    assert (found, make_consent().email_hash == old.email_hash) == ([old, old], False)


def test_records_under_a_key_that_was_thrown_away_are_not_found(settings: Settings) -> None:
    make_consent()
    settings.BLIND_INDEX_KEY = make_key("rotated")

    assert newest_valid_record(email="jane@example.com", session_type="individual", now=NOW) is None


@pytest.mark.parametrize("item_count", [1, 3])
def test_newest_record_is_found_in_one_query(
    item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(item_count):
        make_consent()

    with django_assert_num_queries(1):
        settle()
