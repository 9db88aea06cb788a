"""Somebody under 18 books with their guardian's consent and their own yes, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consent.models import ConsentRecord
from consent.publishing import load_shipped_documents
from consent.refusals import GuardianConsentRequired
from consent.tests.builders import LONG_AGO, TICKED, make_consent, settle
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.services import load_default_catalogue

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

GUARDIAN = {
    "name": "Asha Doe",
    "email": "asha@example.com",
    "relation": "mother",
    "version": "2024-01-15",
    "acknowledgments": ["guardian1", "guardian2", "guardian3"],
}
HALF = {"acknowledgments": ["guardian1"]}
ASSENT = {"version": "2024-01-15", "acknowledgments": ["assent1", "assent2"]}
BODY: dict[str, Any] = {
    "sessionType": "individual",
    "email": "jane@example.com",
    "consentVersion": "2024-01-15",
    "acknowledgments": TICKED,
    "ageBand": "under_18",
    "guardian": GUARDIAN,
    "assent": ASSENT,
}


@pytest.fixture(autouse=True)
def _catalogue_and_documents(db: None) -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    load_shipped_documents(now=LONG_AGO)


def give(api: APIClient, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    response = api.post("/api/consent", BODY | body)
    return response.status_code, response.json()


def test_minors_consent_is_three_acts_in_one(api: APIClient) -> None:
    status, _ = give(api, {})

    main, guardian, assent = (
        ConsentRecord.objects.get(kind=kind) for kind in ("informed_consent", "guardian_consent", "minor_assent")
    )
    assert (status, main.age_band, main.part_of_id, guardian.part_of_id, assent.part_of_id) == (
        201,
        "under_18",
        None,
        main.id,
        main.id,
    )
    assert (guardian.guardian_name, guardian.guardian_email, guardian.guardian_relation) == (
        "Asha Doe",
        "asha@example.com",
        "mother",
    )
    assert (assent.guardian_name, assent.acknowledgments, main.email_hash == assent.email_hash) == (
        None,
        ["assent1", "assent2"],
        True,
    )
    assert AuditEvent.objects.filter(action="consent.given").count() == 3


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({"guardian": None}, "guardian_consent_required", ["guardian"]),
        ({"assent": None}, "guardian_consent_required", ["assent"]),
        ({"guardian": None, "assent": None}, "guardian_consent_required", ["guardian", "assent"]),
        ({"guardian": GUARDIAN | {"name": ""}}, "invalid_input", ["guardian.name"]),
        ({"guardian": GUARDIAN | {"email": "asha@"}}, "invalid_input", ["guardian.email"]),
        ({"guardian": GUARDIAN | {"relation": "friend"}}, "invalid_input", ["guardian.relation"]),
        ({"guardian": GUARDIAN | HALF}, "acknowledgment_missing", ["guardian.acknowledgments"]),
        ({"guardian": GUARDIAN | {"version": "1999-01-01"}}, "unknown_consent_version", ["guardian.version"]),
        ({"assent": ASSENT | {"acknowledgments": []}}, "acknowledgment_missing", ["assent.acknowledgments"]),
        ({"assent": ASSENT | {"version": "1999-01-01"}}, "unknown_consent_version", ["assent.version"]),
        ({"acknowledgments": ["item1"]}, "acknowledgment_missing", ["acknowledgments"]),
        ({"ageBand": "17"}, "invalid_input", ["ageBand"]),
    ],
)  # fmt: skip
def test_minors_consent_with_a_part_missing_names_it_and_records_nothing(
    api: APIClient, body: dict[str, Any], code: str, fields: list[str]
) -> None:
    status, answer = give(api, body)

    assert (status, answer["code"], list(answer["fields"])) == (400, code, fields)
    assert ConsentRecord.objects.count() == 0


def test_guardians_consent_to_nobody_knows_what_is_refused_even_where_versions_are_flagged(
    api: APIClient, settings: Settings
) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"

    status, answer = give(api, {"guardian": GUARDIAN | {"version": "1999-01-01"}})

    assert (status, list(answer["fields"]), ConsentRecord.objects.count()) == (400, ["guardian.version"], 0)


@pytest.mark.parametrize("age_band", ["adult", ""])
def test_adults_need_no_guardian_and_none_is_written_down(api: APIClient, age_band: str) -> None:
    status, _ = give(api, {"ageBand": age_band})

    assert (status, [row.age_band for row in ConsentRecord.objects.all()]) == (201, [age_band])


def refusal(**overrides: Any) -> dict[str, list[str]]:
    with pytest.raises(GuardianConsentRequired) as refused:
        settle(age_band="under_18", **overrides)
    assert (refused.value.status, refused.value.code) == (400, "guardian_consent_required")
    return refused.value.fields


def test_minors_booking_without_any_consent_is_refused() -> None:
    assert refusal() == {"ageBand": ["The guardian's consent and the assent come first."]}
    assert ConsentRecord.objects.count() == 0


def test_minors_booking_on_an_adults_consent_is_refused() -> None:
    adult = make_consent(age_band="adult")

    assert refusal(consent_id=adult.id) == {"consentId": ["This consent was not given as that of somebody under 18."]}


def test_minors_booking_stands_on_the_minors_consent(api: APIClient) -> None:
    give(api, {})
    main = ConsentRecord.objects.get(kind="informed_consent")

    assert settle(age_band="under_18", consent_id=main.id) == main


@pytest.mark.parametrize("known_as", ["adult", "under_18", ""])
def test_minors_booking_that_names_no_consent_is_refused_in_the_same_words_whether_we_know_the_email(
    api: APIClient, known_as: str
) -> None:
    assert give(api, {"ageBand": known_as})[0] == 201

    assert refusal(email="jane@example.com") == refusal(email="eve@example.com")


def test_guardians_consent_alone_is_no_consent_to_book_on(api: APIClient) -> None:
    give(api, {})
    part = ConsentRecord.objects.get(kind="guardian_consent")

    with pytest.raises(Exception, match="Please read and accept"):
        settle(consent_id=part.id, age_band="under_18")
