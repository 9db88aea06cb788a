"""The receipt has the fields that the standards ask for, and nothing about the person beyond what they agreed to."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils.translation import override

from consent.publishing import load_shipped_documents
from consent.receipts import receipt_of
from consent.services import Answer, Guardianship
from consent.tests.builders import HERE, LONG_AGO, NOW, TICKED, make_consent
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.audit.exports.verify_export import verify
from mindfulqalb.audit.signing import key_id, pem, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django import DjangoAssertNumQueries

    from consent.models import ConsentRecord

pytestmark = pytest.mark.django_db

# ISO/IEC TS 27560, as tabled by the DPV guide, and Kantara's receipt v1.1.
RECORD = ["privacy_notice", "language", "purposes", "storage_locations", "retention_until", "jurisdiction"]
PURPOSE = ["purpose", "pii_types", "pii_controllers", "recipients"]
PARTY = ["party_id", "party_name", "party_address", "party_contact", "party_type"]
EVENT = ["event_time", "validity_until", "entity_id", "event_type", "event_state"]
KANTARA = {
    "version": str,
    "jurisdiction": str,
    "consentTimestamp": int,
    "collectionMethod": str,
    "consentReceiptID": str,
    "publicKey": str,
    "language": str,
    "piiPrincipalId": str,
    "piiControllers": list,
    "policyUrl": str,
    "services": list,
    "sensitive": bool,
    "spiCat": list,
}
KANTARA_PURPOSE = [
    *("purpose", "purposeCategory", "consentType", "piiCategory", "primaryPurpose", "termination"),
    *("thirdPartyDisclosure", "thirdPartyName"),
]


@pytest.fixture
def consent() -> ConsentRecord:
    load_shipped_documents(now=LONG_AGO)
    return make_consent(notice_version="2024-01-15")


def test_receipt_has_every_field_of_the_record_standard(consent: ConsentRecord) -> None:
    receipt = receipt_of(consent, now=NOW)

    assert receipt["receipt"] | {"receipt_id": ""} == {
        "schema_version": "ISO/IEC TS 27560:2023",
        "receipt_id": "",
        "record_id": CONSENT.encode(consent.id),
        "pii_principal_id": consent.email_hash,
        "issued_at": NOW.isoformat(),
    }
    wanted = [(RECORD, receipt["record"]), (PURPOSE, receipt["record"]["purposes"][0])]
    wanted += [(PARTY, receipt["parties"][0]), (EVENT, receipt["events"][0])]
    assert [[name for name in names if not there.get(name)] for names, there in wanted] == [[]] * 4


def test_receipt_has_every_field_of_kantaras(consent: ConsentRecord) -> None:
    kantara = receipt_of(consent, now=NOW)["kantara"]

    assert {name: type(value) for name, value in kantara.items()} == KANTARA
    assert list(kantara["services"][0]["purposes"][0]) == KANTARA_PURPOSE
    assert (kantara["version"], kantara["consentTimestamp"], kantara["spiCat"]) == (
        "KI-CR-v1.1.0",
        int(NOW.timestamp()),
        ["Health"],
    )


def test_receipt_carries_the_words_that_were_agreed_to_and_the_notice(consent: ConsentRecord) -> None:
    documents = receipt_of(consent, now=NOW)["documents"]

    assert [(document["kind"], document["sha256"]) for document in documents] == [
        ("informed_consent", consent.document_sha256),
        ("privacy_notice", consent.notice_sha256),
    ]
    assert documents[0]["text"].startswith("# What you are booking")


def test_receipt_keeps_its_id_and_grows_with_the_acts(consent: ConsentRecord) -> None:
    first = receipt_of(consent, now=NOW)
    withdraw_consent(consent_id=consent.id, circumstances=HERE, now=NOW + timedelta(hours=1))

    later = receipt_of(consent, now=NOW + timedelta(hours=2))

    assert first["receipt"]["receipt_id"] == later["receipt"]["receipt_id"] == later["kantara"]["consentReceiptID"]
    assert [event["event_state"] for event in later["events"]] == ["given", "withdrawn"]


def test_receipt_of_a_minor_names_all_three_purposes_and_no_guardian() -> None:
    load_shipped_documents(now=LONG_AGO)
    guardianship = Guardianship(
        name="Asha Doe",
        email="asha@example.com",
        relation="mother",
        consent=Answer("2024-01-15", ["guardian1", "guardian2", "guardian3"]),
        assent=Answer("2024-01-15", ["assent1", "assent2"]),
    )
    consent = make_consent(acknowledgments=TICKED, age_band="under_18", guardianship=guardianship)

    receipt = receipt_of(consent, now=NOW)

    assert sorted(event["kind"] for event in receipt["events"]) == [
        "guardian_consent",
        "informed_consent",
        "minor_assent",
    ]
    assert len(receipt["record"]["purposes"]) == 3
    assert [part for part in ("Asha Doe", "asha@") if part in json.dumps(receipt)] == []


def test_receipt_tells_nobodys_name_address_or_email(consent: ConsentRecord) -> None:
    text = json.dumps(receipt_of(consent, now=NOW))

    assert [secret for secret in ("jane@example.com", HERE.address) if secret in text] == []


@pytest.mark.parametrize("item_count", [1, 3])
def test_receipt_takes_two_queries_however_many_acts(
    consent: ConsentRecord, item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(item_count - 1):
        make_consent()
    withdraw_consent(consent_id=consent.id, circumstances=HERE, now=NOW)

    with django_assert_num_queries(2):
        receipt_of(consent, now=NOW)


# What a stranger can make of it


def verdict(receipt: dict[str, Any], tmp_path: Path, *keys: Any) -> str:
    """What the verifier says of a receipt that a client kept, given these public keys."""
    (tmp_path / "receipt.json").write_text(json.dumps(receipt, ensure_ascii=False, indent=2))
    (tmp_path / "key.pem").write_text("".join(pem(key) for key in keys or [signing_key()]))
    try:
        verify(str(tmp_path / "receipt.json"), str(tmp_path / "key.pem"))
    except SystemExit as end:
        return str(end.code)
    return ""


def test_receipt_is_verified_by_the_verifier_of_exports(
    consent: ConsentRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw_consent(consent_id=consent.id, circumstances=HERE, now=NOW + timedelta(hours=1))
    receipt = receipt_of(consent, now=NOW + timedelta(hours=2))

    assert verdict(receipt, tmp_path) == ""
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{event['event_time']} {event['event_state']} {consent.document_sha256}" for event in receipt["events"]
    ] + [f"VERIFIED: the receipt {receipt['receipt']['receipt_id']}, as signed by key {key_id(signing_key())}."]


def test_receipt_in_another_language_is_verified_too(tmp_path: Path) -> None:
    load_shipped_documents(now=LONG_AGO)
    consent = make_consent(circumstances=replace(HERE, locale="hi"))

    with override("hi"):
        receipt = receipt_of(consent, now=NOW)

    assert (receipt["record"]["language"], verdict(receipt, tmp_path)) == ("hi", "")


def test_receipt_names_the_key_that_signed_it(consent: ConsentRecord) -> None:
    receipt = receipt_of(consent, now=NOW)

    assert receipt["kantara"]["publicKey"] == pem(signing_key())
    assert (receipt["proof"]["algorithm"], receipt["proof"]["key_id"]) == ("Ed25519", key_id(signing_key()))
    assert receipt["proof"]["keys"].endswith("/api/audit/keys")


def test_changed_receipt_does_not_hold(consent: ConsentRecord, tmp_path: Path) -> None:
    changes: list[Callable[[Any], object]] = [
        lambda receipt: receipt["events"][0].update(event_time="2020-01-01T00:00:00+00:00"),
        lambda receipt: receipt["events"].pop(),
        lambda receipt: receipt["documents"][0].update(text="# Whatever"),
        lambda receipt: receipt["record"].update(retention_until=None),
        lambda receipt: receipt.update(more="than was signed"),
        lambda receipt: receipt["proof"].update(signature=receipt["proof"]["signature"].upper()),
    ]

    said = []
    for change in changes:
        receipt = receipt_of(consent, now=NOW)
        change(receipt)
        said.append(verdict(receipt, tmp_path))

    assert said[:-1] == ["DOES NOT HOLD: the receipt is as it was signed"] * 5
    assert said[-1] == "DOES NOT HOLD: the signature of the receipt is one"


def test_receipt_under_another_key_does_not_hold(consent: ConsentRecord, tmp_path: Path) -> None:
    receipt = receipt_of(consent, now=NOW)
    stranger = Ed25519PrivateKey.generate().public_key()

    said = verdict(receipt, tmp_path, stranger)

    assert said == f"DOES NOT HOLD: the receipt is signed by a key of yours, and not by {receipt['proof']['key_id']}"


@pytest.mark.parametrize("content", [{}, {"proof": {}}, {"proof": {"key_id": "x"}}])
def test_file_that_is_no_receipt_does_not_hold(tmp_path: Path, content: dict[str, Any]) -> None:
    assert verdict(content, tmp_path).startswith("DOES NOT HOLD: ")
