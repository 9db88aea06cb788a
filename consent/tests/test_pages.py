"""The client's page about their consent, and the privacy notice."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from consent.links import consent_token
from consent.models import ConsentRecord
from consent.publishing import load_shipped_documents
from consent.receipts import receipt_of
from consent.tests.builders import BROWSER, HERE, LONG_AGO, make_consent
from mindfulqalb.api.tokens import Claims, issue_booking_token, issue_token
from mindfulqalb.outbox.models import OutboxMessage

if TYPE_CHECKING:
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

PRIVACY_IN_HINDI = "\u0917\u094b\u092a\u0928\u0940\u092f\u0924\u093e \u0938\u0942\u091a\u0928\u093e"


@pytest.fixture
def browser() -> Client:
    """A browser as strict as real ones are."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def consent(now: datetime) -> ConsentRecord:
    load_shipped_documents(now=LONG_AGO)
    return make_consent(now=now - timedelta(hours=1), notice_version="2024-01-15", circumstances=HERE)


@pytest.fixture
def address(consent: ConsentRecord, now: datetime) -> str:
    return f"/consent/{consent_token(consent, now=now)}"


def state_on(page: str) -> str:
    return page.partition('data-state="')[2].partition('"')[0]


def test_page_shows_what_was_agreed_and_no_email(browser: Client, address: str) -> None:
    response = browser.get(address)

    page = response.content.decode()
    parts = ("Informed consent for online sessions", "I understand the limits of confidentiality", "13b527ecc0d8")
    assert (response.status_code, state_on(page), [part in page for part in parts]) == (200, "valid", [True] * 3)
    assert ("jane@example.com" in page, response.headers["Cache-Control"].count("no-store")) == (False, 1)


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_withdraws_nothing(browser: Client, address: str, method: str) -> None:
    for path in (address, f"{address}/withdraw", f"{address}/receipt.json"):
        getattr(browser, method)(path)

    assert ConsentRecord.objects.count() == 1


def test_withdrawing_is_one_click_on_that_page(browser: Client, address: str) -> None:
    response = browser.post(f"{address}/withdraw", headers={"User-Agent": BROWSER})

    page = browser.get(response.headers["Location"]).content.decode()
    closing = ConsentRecord.objects.get(event="withdrawn")
    assert (response.status_code, response.headers["Location"], state_on(page)) == (303, address, "withdrawn")
    assert (closing.control_label, closing.user_agent, closing.ip_address_source) == (
        "Withdraw my consent",
        BROWSER,
        "peer",
    )
    assert (f'action="{address}/withdraw"' in page, OutboxMessage.objects.count()) == (False, 2)


def test_withdrawing_again_changes_nothing(browser: Client, address: str) -> None:
    statuses = [browser.post(f"{address}/withdraw").status_code for _ in range(2)]

    assert (statuses, ConsentRecord.objects.count()) == ([303, 303], 2)


def test_receipt_is_a_file_to_take_along(browser: Client, consent: ConsentRecord, address: str, now: datetime) -> None:
    response = browser.get(f"{address}/receipt.json")

    assert (response.status_code, response.headers["Content-Disposition"]) == (
        200,
        'attachment; filename="consent-receipt.json"',
    )
    receipt, expected = json.loads(response.content), receipt_of(consent, now=now)
    assert {name: receipt[name] for name in ("events", "documents", "parties")} == {
        name: expected[name] for name in ("events", "documents", "parties")
    }


def test_link_lasts_a_year_and_says_then_how_to_get_another(
    browser: Client, consent: ConsentRecord, now: datetime
) -> None:
    ages = [timedelta(days=364), timedelta(days=366)]
    old, gone = (browser.get(f"/consent/{consent_token(consent, now=now - age)}") for age in ages)

    assert (old.status_code, gone.status_code) == (200, 404)
    assert "Write to us, and we will send you a new one" in gone.content.decode()


def bad_tokens(consent: ConsentRecord, now: datetime) -> list[str]:
    soon = now + timedelta(days=1)
    closing = ConsentRecord(id=consent.id, expires_at=now - timedelta(seconds=1))
    return [
        "nonsense",
        consent_token(consent, now=now) + "x",
        consent_token(closing, now=now - timedelta(days=2)),
        issue_booking_token(booking_id=consent.id, version=1, now=now, expires_at=soon),
        issue_token(audience="consent", claims=Claims("no uuid", 1), now=now, expires_at=soon),
        issue_token(audience="consent", claims=Claims(str(consent.id), 2), now=now, expires_at=soon),
        issue_token(audience="consent", claims=Claims(str(consent.document_id), 1), now=now, expires_at=soon),
    ]


def test_other_links_open_nothing(browser: Client, api: APIClient, consent: ConsentRecord, now: datetime) -> None:
    for token in bad_tokens(consent, now):
        statuses = [
            browser.get(f"/consent/{token}").status_code,
            browser.post(f"/consent/{token}/withdraw").status_code,
            browser.get(f"/consent/{token}/receipt.json").status_code,
            api.post("/api/consent/withdraw", headers={"Authorization": f"Bearer {token}"}).status_code,
            api.get("/api/consent/receipt", headers={"Authorization": f"Bearer {token}"}).status_code,
        ]
        assert statuses == [404, 404, 404, 401, 401]

    assert ConsentRecord.objects.count() == 1


def test_api_withdraws_by_the_signed_link(api: APIClient, consent: ConsentRecord, now: datetime) -> None:
    bearer = {"Authorization": f"Bearer {consent_token(consent, now=now)}"}

    answers = [api.post("/api/consent/withdraw", headers=bearer) for _ in range(2)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, {"success": True, "withdrawn": 1}),
        (200, {"success": True, "withdrawn": 0}),
    ]


def test_api_withdraws_nothing_without_a_link(api: APIClient, consent: ConsentRecord) -> None:
    response = api.post("/api/consent/withdraw", {"email": consent.email})

    assert (response.status_code, response.json()["code"], ConsentRecord.objects.count()) == (401, "unauthorized", 1)


def test_api_gives_the_receipt(api: APIClient, consent: ConsentRecord, now: datetime) -> None:
    response = api.get("/api/consent/receipt", headers={"Authorization": f"Bearer {consent_token(consent, now=now)}"})

    assert response.json()["receipt"]["pii_principal_id"] == consent.email_hash


@pytest.mark.parametrize(
    ("locale", "title"),
    [
        ("en", "Privacy notice"),
        ("hi", "\u0917\u094b\u092a\u0928\u0940\u092f\u0924\u093e \u0938\u0942\u091a\u0928\u093e"),
    ],
)
def test_privacy_notice_is_a_page_for_everybody_in_their_language(browser: Client, locale: str, title: str) -> None:
    load_shipped_documents(now=LONG_AGO)

    page = browser.get("/privacy", {"locale": locale}).content.decode()

    assert f'<h1 id="document-title">{title}</h1>' in page


@pytest.mark.parametrize("locale", ["\x00", "ta", "en'"])
def test_privacy_notice_in_a_language_that_nobody_has_translated_is_in_the_readers(
    browser: Client, locale: str
) -> None:
    load_shipped_documents(now=LONG_AGO)

    response = browser.get("/privacy", {"locale": locale})

    assert (response.status_code, "Who asks for your data" in response.content.decode()) == (200, True)


def test_privacy_notice_before_any_is_published_is_not_found(browser: Client) -> None:
    assert browser.get("/privacy").status_code == 404


def test_link_lives_as_long_as_the_record(consent: ConsentRecord, browser: Client) -> None:
    token = consent_token(consent, now=datetime.now(UTC))

    assert (browser.get(f"/consent/{token}").status_code, len(token) < 1024) == (200, True)
