"""`/api/consent` as the front end meets it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consent.models import ConsentRecord
from consent.tests.builders import BROWSER, TICKED, make_document, publish
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.api.schema import ERROR_SCHEMA
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.tests.doors import open_door, run_sql
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.catalogue.services import load_default_catalogue

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

BODY: dict[str, Any] = {
    "sessionType": "individual",
    "email": "jane@example.com",
    "consentVersion": "2024-01-15",
    "acknowledgments": TICKED,
}
ERROR_KEYS = ["code", "error", "fields", "requestId", "success"]


@pytest.fixture(autouse=True)
def _catalogue_and_document(db: None) -> None:
    load_default_catalogue(therapist_name="Dr. Asha")
    publish()


def give(api: APIClient, body: dict[str, Any] | None = None, **headers: str) -> tuple[int, dict[str, Any]]:
    response = api.post("/api/consent", BODY | (body or {}), headers=headers or {"User-Agent": BROWSER})
    return response.status_code, response.json()


def only_record() -> ConsentRecord:
    return ConsentRecord.objects.get()


def test_consent_as_specified_is_recorded(api: APIClient) -> None:
    status, answer = give(api, {"ipAddress": "xxx.xxx.xxx.xxx", "userAgent": "Mozilla/5.0..."})

    assert (status, answer) == (201, {"success": True, "consentId": CONSENT.encode(only_record().id)})


def test_consent_is_recorded_now_with_an_audit_event(api: APIClient, now: datetime) -> None:
    give(api)

    record = only_record()
    assert record.created_at is not None
    assert timedelta(0) <= record.created_at - now < timedelta(hours=1)
    assert AuditEvent.objects.get().target == f"consent:{record.id}"


@pytest.mark.parametrize(
    ("asked", "recorded"),
    [
        ({"sessionType": "video"}, "individual"),
        ({"sessionType": "couples-audio"}, "couples"),
        ({"sessionType": "family", "format": "audio"}, "family"),
        ({"sessionType": "free", "format": None}, "free"),
    ],
)
def test_consent_is_to_a_type_however_it_is_spelt(api: APIClient, asked: dict[str, Any], recorded: str) -> None:
    give(api, asked)

    assert only_record().session_type == recorded


def test_consent_is_recorded_with_what_our_server_saw(api: APIClient) -> None:
    api.post(
        "/api/consent",
        BODY | {"ipAddress": "198.51.100.9", "userAgent": "liar/1.0"},
        REMOTE_ADDR="203.0.113.77",
        headers={"User-Agent": BROWSER, "X-Request-ID": "request-0001", "X-Forwarded-For": "192.0.2.1"},
    )

    record = only_record()
    seen = ("full_ip_address", "ip_address", "ip_address_source", "claimed_ip_address", "user_agent", "request_id")
    assert {name: getattr(record, name) for name in seen} == {
        "full_ip_address": "203.0.113.77",
        "ip_address": "203.0.113.0",
        "ip_address_source": "peer",
        "claimed_ip_address": "198.51.100.9",
        "user_agent": BROWSER,
        "request_id": "request-0001",
    }


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address", "source"),
    [
        (1, "198.51.100.1, 2001:db8:1:2::3", "2001:db8:1:2::3", "forwarded"),
        (2, "198.51.100.1, 2001:db8:1:2::3", "198.51.100.1", "forwarded"),
        (1, "nonsense", "203.0.113.77", "peer, forwarded header unusable"),
        (2, "198.51.100.1", "203.0.113.77", "peer, forwarded header unusable"),
    ],
)
def test_consent_behind_proxies_says_how_the_address_was_derived(
    api: APIClient, settings: Settings, proxies: int, forwarded: str, address: str, source: str
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    api.post("/api/consent", BODY, REMOTE_ADDR="203.0.113.77", headers={"X-Forwarded-For": forwarded})

    assert (only_record().full_ip_address, only_record().ip_address_source) == (address, source)


def test_user_agent_in_the_body_stands_in_for_a_missing_header(api: APIClient) -> None:
    api.post("/api/consent", BODY | {"userAgent": "App/7"})

    assert only_record().user_agent == "App/7"


def test_user_agent_is_cut_and_the_consent_kept(api: APIClient) -> None:
    give(api, None, **{"User-Agent": "x" * 5000})

    assert only_record().user_agent == "x" * 1000


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name in ("ipAddress", "userAgent", "locale") for value in (None, "")] + [("format", None)],
)
def test_what_the_browser_does_not_know_does_not_cost_the_consent(api: APIClient, name: str, value: str | None) -> None:
    status, _ = give(api, {name: value})

    assert (status, only_record().locale, only_record().claimed_ip_address) == (201, "en", None)


def test_consent_given_twice_is_two_records(api: APIClient) -> None:
    ids = {give(api)[1]["consentId"] for _ in range(2)}

    assert (len(ids), ConsentRecord.objects.count()) == (2, 2)


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({"email": "jane@"}, "invalid_input", ["email"]),
        ({"email": "jane@example.com\nBcc: all@example.com"}, "invalid_input", ["email"]),
        ({"email": None}, "invalid_input", ["email"]),
        ({"email": ["jane@example.com"]}, "invalid_input", ["email"]),
        ({"email": "a" * 250 + "@example.com"}, "invalid_input", ["email"]),
        ({"sessionType": 5}, "invalid_input", ["sessionType"]),
        ({"sessionType": "\x00"}, "invalid_input", ["sessionType"]),
        ({"sessionType": "astrology"}, "unknown_session", ["sessionType"]),
        ({"sessionType": "couples", "format": "chat"}, "unknown_session", ["format"]),
        ({"acknowledgments": "item1,item2,item3"}, "invalid_input", ["acknowledgments"]),
        ({"acknowledgments": None}, "invalid_input", ["acknowledgments"]),
        ({"acknowledgments": {"item1": True}}, "invalid_input", ["acknowledgments"]),
        ({"acknowledgments": ["item1", True]}, "invalid_input", ["acknowledgments.1"]),
        ({"acknowledgments": ["item1", "x" * 101]}, "invalid_input", ["acknowledgments.1"]),
        ({"acknowledgments": ["item1"] * 51}, "invalid_input", ["acknowledgments"]),
        ({"acknowledgments": []}, "acknowledgment_missing", ["acknowledgments"]),
        ({"acknowledgments": ["item1", "item2"]}, "acknowledgment_missing", ["acknowledgments"]),
        ({"consentVersion": "2023-01-01"}, "unknown_consent_version", ["consentVersion"]),
        ({"consentVersion": 20240115}, "invalid_input", ["consentVersion"]),
        ({"consentVersion": "2024-01-15 and more than that"}, "invalid_input", ["consentVersion"]),
        ({"ipAddress": "x" * 101}, "invalid_input", ["ipAddress"]),
        ({"userAgent": "a\x00b"}, "invalid_input", ["userAgent"]),
        ({"locale": {"en": 1}}, "invalid_input", ["locale"]),
    ],
)
def test_consent_refused_names_the_field_and_records_nothing(
    api: APIClient, body: dict[str, Any], code: str, fields: list[str]
) -> None:
    status, answer = give(api, body)

    assert (status, sorted(answer), answer["success"]) == (400, ERROR_KEYS, False)
    assert (answer["code"], list(answer["fields"])) == (code, fields)
    assert (ConsentRecord.objects.count(), AuditEvent.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", BODY)
def test_consent_without_a_field_names_it(api: APIClient, name: str) -> None:
    response = api.post("/api/consent", {key: value for key, value in BODY.items() if key != name})

    assert (response.status_code, list(response.json()["fields"])) == (400, [name])


def test_consent_with_nothing_names_all_that_is_missing(api: APIClient) -> None:
    assert sorted(api.post("/api/consent", {}).json()["fields"]) == sorted(BODY)


def test_consent_to_what_is_not_sold_is_refused(api: APIClient) -> None:
    SessionOffer.objects.update(is_active=False)

    status, answer = give(api)

    assert (status, answer["code"], list(answer["fields"])) == (400, "unknown_session", ["sessionType"])


def test_consent_to_an_unknown_text_is_kept_where_the_setting_says_so(api: APIClient, settings: Settings) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"

    status, _ = give(api, {"consentVersion": "2023-01-01"})

    assert (status, only_record().is_flagged) == (201, True)


@pytest.mark.parametrize("version", ["2024-01-15", "2023-01-01"])
def test_consent_of_a_browser_with_a_long_locale_is_kept(api: APIClient, settings: Settings, version: str) -> None:
    settings.CONSENT_UNKNOWN_VERSION = "flag"

    status, _ = give(api, {"consentVersion": version, "locale": "ca-ES-valencia"})

    assert (status, only_record().locale) == (201, {"2024-01-15": "en", "2023-01-01": "ca-ES-vale"}[version])


def test_consent_is_counted_per_email_from_whatever_address(api: APIClient, settings: Settings) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"email_anywhere": "2/m"}

    statuses = [api.post("/api/consent", BODY, REMOTE_ADDR=f"203.0.113.{number}").status_code for number in range(3)]

    assert (statuses, ConsentRecord.objects.count()) == ([201, 201, 429], 2)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_consent_is_neither_read_nor_changed_here(api: APIClient, method: str) -> None:
    response = getattr(api, method)("/api/consent", BODY)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("query", [{}, {"sessionType": "individual"}, {"locale": "en"}, {"locale": "ta"}])
def test_document_answers_with_all_that_is_to_be_shown(api: APIClient, query: dict[str, str]) -> None:
    document = publish()

    response = api.get("/api/consent/document", query)

    assert (response.status_code, response.json()) == (
        200,
        {
            "kind": "informed_consent",
            "version": "2024-01-15",
            "locale": "en",
            "title": "Informed consent for online sessions",
            "text": document.text,
            "sha256": document.sha256,
            "acknowledgments": [
                {
                    "id": "item1",
                    "label": "I have read this page, and I agree to take part in the session I am booking.",
                },
                {"id": "item2", "label": "I understand the limits of confidentiality and of talking online."},
                {
                    "id": "item3",
                    "label": "I agree that the details I enter are kept, encrypted, to arrange and document"
                    " my session.",
                },
            ],
        },
    )


def test_documents_digest_can_be_checked_by_whoever_was_shown_it(api: APIClient) -> None:
    answer = api.get("/api/consent/document").json()
    shown = {name: answer[name] for name in ("title", "text", "acknowledgments")}

    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert hashlib.sha256(canonical.encode()).hexdigest() == answer["sha256"]


def test_document_is_translated_where_there_is_a_translation(api: APIClient) -> None:
    make_document(locale="hi")

    assert api.get("/api/consent/document", {"locale": "hi"}).json()["locale"] == "hi"


def test_document_that_was_shown_can_be_consented_to(api: APIClient) -> None:
    make_document(version="2026-11-01", locale="en", published_at=datetime.now(UTC) - timedelta(days=1))
    shown = api.get("/api/consent/document").json()
    ticked = [item["id"] for item in shown["acknowledgments"]]

    status, _ = give(api, {"consentVersion": shown["version"], "acknowledgments": ticked})

    assert (status, only_record().document_sha256) == (201, shown["sha256"])


@pytest.mark.parametrize("locale", ["\x00", "e\x00n", "\x1b[31m", "\u202e"])
def test_document_in_a_locale_that_cannot_be_is_refused(api: APIClient, locale: str) -> None:
    response = api.get("/api/consent/document", {"locale": locale})

    assert (response.status_code, list(response.json()["fields"])) == (400, ["locale"])


@pytest.mark.parametrize("locale", ["", "x" * 100, "../../etc/passwd", "ca-ES-valencia-u-nu-latn"])
def test_document_in_a_locale_that_nobody_has_translated_is_english(api: APIClient, locale: str) -> None:
    response = api.get("/api/consent/document", {"locale": locale})

    assert (response.status_code, response.json()["locale"]) == (200, "en")


def test_document_before_any_is_published_is_not_found(api: APIClient) -> None:
    open_door("retention")
    run_sql("DELETE FROM consent_documents")

    response = api.get("/api/consent/document")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_document_is_only_read(api: APIClient, method: str) -> None:
    assert getattr(api, method)("/api/consent/document").status_code == 405


@pytest.mark.parametrize("item_count", [1, 3])
def test_document_is_found_in_a_fixed_number_of_queries(
    api: APIClient, item_count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for locale in ("hi", "ta", "te")[:item_count]:
        make_document(locale=locale)

    with django_assert_num_queries(2):
        api.get("/api/consent/document", {"locale": "hi"})


odd_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\x00", "\u202e"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from([*BODY, "ipAddress", "userAgent", "locale", "format"]), odd_values), st.text())
@example({"email": "\ud800"}, "\x00")
@example({"acknowledgments": [*TICKED, "\u202e"]}, "\ud800")
@example({"acknowledgments": [TICKED]}, "%00")
def test_whatever_is_sent_is_answered(settings: Settings, body: dict[str, Any], locale: str) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, "10000/s")
    responses = [
        Client().post("/api/consent", json.dumps(BODY | body), "application/json"),
        Client().get("/api/consent/document", {"locale": locale.encode(errors="replace")}),
    ]

    for response, good in zip(responses, (201, 200), strict=True):
        assert response.status_code in {good, 400}
        if response.status_code != good:
            jsonschema.validate(response.json(), ERROR_SCHEMA)
