"""What is written down when somebody consents."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from consent.evidence import Circumstances, shortened
from consent.models import ConsentRecord
from consent.queries import with_state
from consent.refusals import AcknowledgmentMissing, UnknownConsentVersion
from consent.tests.builders import BROWSER, HERE, NOW, TICKED, YESTERDAY, make_consent, make_document, publish
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.tests.doors import run_sql
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.observability.request_ids import bound_request_id

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

    from consent.models import ConsentDocument

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def document(db: None) -> ConsentDocument:
    return publish()


def column(consent: ConsentRecord, name: str) -> Any:
    """Read a column past the ORM."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM consent_records WHERE id = %s", [consent.id])  # noqa: S608
        (value,) = cursor.fetchone()
    return value


def test_record_is_the_evidence(document: ConsentDocument) -> None:
    notice = make_document(kind="privacy_notice", locale="en", acknowledgments=[])
    here = replace(HERE, claimed_address="198.51.100.9", control_label="I agree, continue")
    with bound_request_id("request-0001"):
        given = make_consent(
            circumstances=here, age_band="adult", notice_version="2024-01-15", reference="offer:individual-video"
        )

    kept = ConsentRecord.objects.get(id=given.id)
    assert {field.attname: getattr(kept, field.attname) for field in ConsentRecord._meta.concrete_fields} == {
        "id": given.id,
        "session_type": "individual",
        "email_hash": email_digest("jane@example.com"),
        "consent_version": "2024-01-15",
        "acknowledgments": TICKED,
        "ip_address": "203.0.113.0",
        "user_agent": BROWSER,
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=7 * 365),
        "document_id": document.id,
        "event": "given",
        "kind": "informed_consent",
        "refers_to_id": None,
        "part_of_id": None,
        "document_sha256": document.sha256,
        "notice_id": notice.id,
        "notice_sha256": notice.sha256,
        "is_flagged": False,
        "locale": "en",
        "method": "checkbox",
        "control_label": "I agree, continue",
        "actor": "client",
        "reference": "offer:individual-video",
        "email": "jane@example.com",
        "full_ip_address": "203.0.113.77",
        "ip_address_source": "peer",
        "claimed_ip_address": "198.51.100.9",
        "request_id": "request-0001",
        "valid_until": NOW + timedelta(days=365),
        "age_band": "adult",
        "guardian_name": None,
        "guardian_email": None,
        "guardian_relation": "",
    }


def test_record_keeps_persons_and_addresses_sealed() -> None:
    consent = make_consent(circumstances=replace(HERE, claimed_address="198.51.100.9"))

    row = run_row(consent)
    assert [secret in row for secret in ("jane", "203.0.113.77", "198.51.100.9")] == [False, False, False]
    assert column(consent, "pg_typeof(email_encrypted)::text") == "bytea"


def run_row(consent: ConsentRecord) -> str:
    """The whole row as text, bytes decoded as far as they can be."""
    sealed = [
        bytes(column(consent, f"{name}_encrypted")) for name in ("email", "full_ip_address", "claimed_ip_address")
    ]
    return str(column(consent, "consent_records::text")) + b"".join(sealed).decode(errors="replace")


def test_record_without_circumstances_says_unknown_and_not_empty() -> None:
    consent = make_consent(circumstances=Circumstances())

    known = ("ip_address", "full_ip_address", "claimed_ip_address", "user_agent", "ip_address_source", "request_id")
    assert [getattr(consent, name) for name in known] == [None, None, None, None, "none", ""]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("203.0.113.0", "203.0.113.0"),
        ("255.255.255.255", "255.255.255.0"),
        ("2001:db8:aaaa:bbbb:cccc::1", "2001:db8:aaaa::"),
        ("2001:DB8:0:ffff::", "2001:db8::"),
        ("::1", "::"),
        ("", None),
        ("unknown", None),
        ("203.0.113.77:4711", None),
    ],
)
def test_address_is_shortened_to_its_network(address: str, network: str | None) -> None:
    assert shortened(address) == network


def test_record_shows_the_network_and_seals_the_address() -> None:
    consent = make_consent(circumstances=replace(HERE, address="2001:db8:aaaa:bbbb::1"))

    assert (consent.ip_address, consent.full_ip_address) == ("2001:db8:aaaa::", "2001:db8:aaaa:bbbb::1")


def test_email_is_kept_as_it_was_entered_and_found_in_any_spelling() -> None:
    consent = make_consent(email="Jane@Example.com")

    assert (consent.email, consent.email_hash) == ("Jane@Example.com", email_digest("jane@example.com"))


@pytest.mark.parametrize(
    ("ticked", "missing"),
    [
        ([], "item1, item2, item3"),
        (["item1", "item3"], "item2"),
        (["item1", "item1", "item1"], "item2, item3"),
        (["ITEM1", "item2", "item3"], "item1"),
    ],
)
def test_missing_acknowledgment_is_named(ticked: list[str], missing: str) -> None:
    with pytest.raises(AcknowledgmentMissing) as refused:
        make_consent(acknowledgments=ticked)

    assert (refused.value.status, refused.value.code, refused.value.fields) == (
        400,
        "acknowledgment_missing",
        {"acknowledgments": [f"Not accepted: {missing}."]},
    )
    assert (ConsentRecord.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_more_acknowledgments_than_asked_for_are_kept() -> None:
    ticked = ["newsletter", *TICKED, "item1"]

    assert ConsentRecord.objects.get(id=make_consent(acknowledgments=ticked).id).acknowledgments == ticked


@pytest.mark.parametrize("version", ["2023-01-01", "", "2024-01-15 ", "%"])
def test_unknown_version_is_refused(version: str) -> None:
    with pytest.raises(UnknownConsentVersion) as refused:
        make_consent(version=version)

    assert (refused.value.status, refused.value.code, refused.value.fields) == (
        400,
        "unknown_consent_version",
        {"consentVersion": ["Unknown version of the consent text."]},
    )
    assert ConsentRecord.objects.count() == 0


def test_version_that_is_not_published_yet_is_unknown() -> None:
    make_document(version="2026-12-24", locale="en", published_at=NOW + timedelta(seconds=1))

    with pytest.raises(UnknownConsentVersion):
        make_consent(version="2026-12-24")


def test_unknown_version_is_kept_and_flagged_where_the_setting_says_so(settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"

    consent = make_consent(version="2023-01-01", acknowledgments=["item1"])

    assert (consent.is_flagged, consent.document, consent.document_sha256, consent.consent_version) == (
        True,
        None,
        "",
        "2023-01-01",
    )


def test_known_version_is_not_flagged_whatever_the_setting_says(settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"

    assert make_consent().is_flagged is False


@pytest.mark.parametrize(("asked", "shown"), [("hi", "hi"), ("ta", "en")])
def test_record_points_at_the_text_that_was_shown(asked: str, shown: str) -> None:
    make_document(locale="hi")

    consent = make_consent(circumstances=replace(HERE, locale=asked))

    assert consent.document is not None
    assert (consent.document.locale, consent.locale, consent.document_sha256) == (
        shown,
        shown,
        consent.document.sha256,
    )


def test_validity_ends_long_before_the_evidence_goes(settings: Settings) -> None:
    settings.CONSENT_VALID_DAYS = 30

    consent = make_consent()

    valid_until, expires_at = NOW + timedelta(days=30), NOW + timedelta(days=7 * 365)
    assert (consent.valid_until, consent.expires_at) == (valid_until, expires_at)


def test_consent_leaves_an_audit_event_without_the_person() -> None:
    with bound_request_id("request-0001"):
        consent = make_consent()

    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target, event.occurred_at, event.request_id, event.details) == (
        "consent.given",
        "client",
        f"consent:{consent.id}",
        NOW,
        "request-0001",
        {"version": "2024-01-15", "document_sha256": consent.document_sha256, "method": "checkbox"},
    )


def test_consent_that_cannot_be_audited_is_not_given() -> None:
    run_sql("ALTER TABLE audit_events ADD CONSTRAINT out_of_order CHECK (action <> 'consent.given')")

    with pytest.raises(IntegrityError, match="out_of_order"), transaction.atomic():
        make_consent()

    assert ConsentRecord.objects.count() == 0


def test_consent_rolled_back_leaves_neither_record_nor_event() -> None:
    with transaction.atomic():
        make_consent()
        transaction.set_rollback(True)

    assert (ConsentRecord.objects.count(), AuditEvent.objects.count()) == (0, 0)


def events() -> list[tuple[str, str]]:
    """Every act on record, with the text it was about, by time."""
    return list(ConsentRecord.objects.order_by("created_at", "event").values_list("event", "consent_version"))


def states(now: datetime = NOW) -> list[str]:
    """What has become of each given consent, by time."""
    return [row.state for row in with_state(now=now).order_by("created_at")]


def test_consent_given_again_renews_the_one_before() -> None:
    first = make_consent(now=YESTERDAY)

    again = make_consent()

    assert (events(), again.refers_to, states()) == (
        [("given", "2024-01-15"), ("renewed", "2024-01-15")],
        first,
        ["valid", "valid"],
    )


@pytest.mark.parametrize(
    "other",
    [{"email": "john@example.com"}, {"session_type": "couples"}, {"now": NOW - timedelta(days=365)}],
)
def test_consent_renews_nothing_of_others_other_types_or_long_ago(other: dict[str, Any]) -> None:
    make_consent(**{"now": YESTERDAY} | other)

    assert (make_consent().event, make_consent(session_type="family").refers_to) == ("given", None)


def test_consent_to_a_newer_text_supersedes_the_older_one_in_a_row_of_its_own() -> None:
    first = make_consent(now=YESTERDAY)
    make_document(version="2026-11-30", locale="en")

    newer = make_consent(version="2026-11-30")

    closing = ConsentRecord.objects.get(event="superseded")
    assert (closing.refers_to, closing.created_at, closing.acknowledgments, closing.consent_version) == (
        first,
        NOW,
        [],
        "2024-01-15",
    )
    assert (newer.event, states()) == ("renewed", ["superseded", "valid"])


def test_consent_to_an_unknown_text_supersedes_nothing(settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"
    make_consent(now=YESTERDAY)

    make_consent(version="2030-01-01")

    assert states() == ["valid", "flagged"]


def test_state_follows_from_rows_and_time() -> None:
    make_consent()

    days = (0, 364, 365, 3000)
    assert [states(NOW + timedelta(days=day)) for day in days] == [["valid"], ["valid"], ["expired"], ["expired"]]


def test_record_names_itself_without_the_person() -> None:
    consent = make_consent()

    assert str(consent) == f"individual 2024-01-15 {consent.id}"


@pytest.mark.parametrize(
    ("name", "kind", "length", "nullable", "default"),
    [
        ("id", "uuid", None, "NO", "gen_random_uuid()"),
        ("session_type", "character varying", 50, "NO", None),
        ("email_hash", "character varying", 64, "NO", None),
        ("consent_version", "character varying", 20, "NO", None),
        ("acknowledgments", "jsonb", None, "NO", None),
        ("ip_address", "character varying", 45, "YES", None),
        ("user_agent", "text", None, "YES", None),
        ("created_at", "timestamp with time zone", None, "YES", "CURRENT_TIMESTAMP"),
        ("expires_at", "timestamp with time zone", None, "NO", None),
    ],
)
def test_table_has_every_column_of_the_specification(
    name: str, kind: str, length: int | None, nullable: str, default: str | None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data_type, character_maximum_length, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_name = 'consent_records' AND column_name = %s",
            [name],
        )
        assert cursor.fetchone() == (kind, length, nullable, default)
