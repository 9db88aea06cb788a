"""The text that ships, and the digest by which anybody can recognize a text."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from consent.documents import SECTION, canonical_sha256, shipped_document, shipped_documents
from consent.models import ConsentDocument
from consent.publishing import publish_shipped_document
from consent.queries import current_document
from consent.tests.builders import NOW, YESTERDAY, make_document, publish

if TYPE_CHECKING:
    from pytest_django import Settings

# People have accepted this very text. Another digest means another text: give it a version of its own.
SHIPPED_SHA256 = "13b527ecc0d8f8920e540cb8790dc4ba70ac306f4bbf9c0a026af1e0a784d8a7"


def digest(title: str = "Consent", text: str = "One\nTwo", label: str = "Yes") -> str:
    return canonical_sha256(title=title, text=text, acknowledgments=[{"id": "item1", "label": label}])


def test_shipped_document_is_the_one_that_people_have_accepted() -> None:
    document = shipped_document()

    assert (document.version, document.locale, document.kind) == ("2024-01-15", "en", "informed_consent")
    assert document.sha256 == SHIPPED_SHA256


def test_shipped_document_asks_for_three_points_and_says_what_must_be_said() -> None:
    assert [item["id"] for item in shipped_document().acknowledgments] == ["item1", "item2", "item3"]
    headings = [line for line in shipped_document().text.splitlines() if line.startswith("# ")]
    assert headings == [
        "# What you are booking",
        "# This is not an emergency service",
        "# What may help, and what may be hard",
        "# What stays between us",
        "# Talking online",
        "# What we keep about you",
        "# If you are under 18",
        "# Your rights",
        "# Fees and changes",
    ]


def test_digest_can_be_recomputed_by_a_stranger() -> None:
    canonical = '{"acknowledgments":[{"id":"item1","label":"Yes"}],"text":"One\\nTwo","title":"Consent"}'

    assert digest() == hashlib.sha256(canonical.encode()).hexdigest()


def test_digest_of_the_shipped_document_can_be_recomputed_from_what_is_stored() -> None:
    document = shipped_document()
    shown = {name: getattr(document, name) for name in ("title", "text", "acknowledgments")}
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    assert hashlib.sha256(unicodedata.normalize("NFC", canonical).encode()).hexdigest() == document.sha256


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"text": "One\nTwo"}, {"text": "One\r\nTwo"}),
        ({"text": "One\nTwo"}, {"text": "One\rTwo"}),
        ({"text": "One\n\nTwo"}, {"text": "One\r\n\r\nTwo"}),
        ({"text": "caf\u00e9"}, {"text": "cafe\u0301"}),
        ({"title": "caf\u00e9"}, {"title": "cafe\u0301"}),
        ({"label": "caf\u00e9"}, {"label": "cafe\u0301"}),
    ],
)
def test_digest_is_blind_to_how_a_text_is_encoded(one: dict[str, str], other: dict[str, str]) -> None:
    assert digest(**one) == digest(**other)


def test_digest_is_blind_to_the_order_of_keys() -> None:
    turned = canonical_sha256(title="Consent", text="One\nTwo", acknowledgments=[{"label": "Yes", "id": "item1"}])

    assert turned == digest()


@pytest.mark.parametrize(
    "change",
    [{"text": "One\nTwo "}, {"text": "one\nTwo"}, {"text": "One\n\nTwo"}, {"title": "consent"}, {"label": "Yes."}],
)
def test_digest_sees_every_other_change(change: dict[str, str]) -> None:
    assert digest(**change) != digest()


def test_digest_sees_the_order_of_the_points() -> None:
    points = [{"id": "a", "label": "A"}, {"id": "b", "label": "B"}]

    digests = {canonical_sha256(title="", text="", acknowledgments=order) for order in (points, points[::-1])}

    assert len(digests) == 2


@pytest.mark.django_db
def test_publishing_twice_publishes_once() -> None:
    published = [publish_shipped_document(now=day) for day in (YESTERDAY, NOW)]

    document = ConsentDocument.objects.get()
    assert (published, document.published_at, document.sha256) == ([True, False], YESTERDAY, SHIPPED_SHA256)


@pytest.mark.django_db
def test_stored_document_still_has_its_digest() -> None:
    document = publish()

    shown = canonical_sha256(title=document.title, text=document.text, acknowledgments=document.acknowledgments)

    assert (shown, document.text) == (document.sha256, shipped_document().text)


def test_shipped_documents_are_four_kinds_in_two_languages_english_first() -> None:
    kinds = ["guardian_consent", "informed_consent", "minor_assent", "privacy_notice"]

    shipped = [(document.locale, document.kind, document.version) for document in shipped_documents()]

    assert shipped == [(locale, kind, "2024-01-15") for locale in ("en", "hi") for kind in kinds]


@pytest.mark.parametrize("kind", ["guardian_consent", "informed_consent", "minor_assent", "privacy_notice"])
def test_shipped_translation_asks_for_the_same_and_says_as_much(kind: str) -> None:
    english, hindi = (shipped_document(kind, locale) for locale in ("en", "hi"))

    paragraphs = [len(SECTION.split(document.text.strip())) for document in (english, hindi)]
    assert (english.required_ids, paragraphs[0]) == (hindi.required_ids, paragraphs[1])


def test_shipped_documents_name_the_practice_and_leave_nothing_to_fill_in(settings: Settings) -> None:
    settings.PRACTICE_EMAIL = "write@to.example"

    notice = shipped_document("privacy_notice")

    assert notice.text.count("write@to.example") == 3
    assert [document for document in shipped_documents() if "{" in document.text + document.title] == []


def test_privacy_notice_says_what_rule_3_asks_for() -> None:
    headings = [line for line in shipped_document("privacy_notice").text.splitlines() if line.startswith("# ")]

    assert headings == [
        "# Who asks for your data",
        "# Which data, for what",
        "# What you get for it",
        "# Who else sees it",
        "# How long, and how safely",
        "# To withdraw your consent",
        "# Your rights",
        "# If you are not content",
    ]


@pytest.mark.django_db
def test_load_consent_documents_command_says_what_it_did() -> None:
    out, err = StringIO(), StringIO()

    for _ in range(2):
        call_command("load_consent_documents", stdout=out, stderr=err)

    said = ["Consent documents published: 8 of 8.", "Consent documents published: 0 of 8."]
    assert (out.getvalue().splitlines(), err.getvalue()) == (said, "")


@pytest.mark.django_db
def test_load_consent_documents_command_leaves_other_words_alone_and_says_so() -> None:
    other = make_document(locale="en", text="What people accepted before we shipped ours.")
    err = StringIO()

    call_command("load_consent_documents", stdout=StringIO(), stderr=err)

    assert ConsentDocument.objects.get(id=other.id).text == other.text
    assert "left as it is: informed_consent 2024-01-15 (en)" in err.getvalue()


@pytest.mark.django_db
def test_version_is_published_once_per_language() -> None:
    publish()
    make_document(locale="hi")

    with pytest.raises(IntegrityError, match="consent_document_version"), transaction.atomic():
        make_document(locale="hi", text="Another text under the same name")


@pytest.mark.django_db
@pytest.mark.parametrize(("locale", "shown"), [("en", "en"), ("hi", "hi"), ("ta", "en"), ("", "en"), ("EN", "en")])
def test_current_document_is_in_the_clients_language_where_there_is_one(locale: str, shown: str) -> None:
    publish()
    make_document(locale="hi")

    document = current_document(locale=locale, now=NOW)

    assert document is not None
    assert document.locale == shown


@pytest.mark.django_db
def test_current_document_is_the_newest_that_is_published() -> None:
    publish()
    make_document(version="2026-11-30", locale="en", published_at=NOW)
    make_document(version="2026-12-02", locale="en", published_at=NOW + timedelta(seconds=1))

    versions = [
        document.version if (document := current_document(locale="en", now=NOW + timedelta(seconds=later))) else None
        for later in (-1, 0, 1)
    ]

    assert versions == ["2024-01-15", "2026-11-30", "2026-12-02"]


@pytest.mark.django_db
def test_current_document_is_never_an_outdated_translation() -> None:
    publish()
    make_document(version="2024-01-15", locale="hi")
    newest = make_document(version="2026-11-30", locale="en", published_at=NOW)

    assert current_document(locale="hi", now=NOW) == newest


@pytest.mark.django_db
def test_late_translation_does_not_bring_an_old_version_back() -> None:
    publish()
    newest = make_document(version="2026-11-01", locale="en", published_at=YESTERDAY + timedelta(hours=1))
    make_document(version="2024-01-15", locale="hi", published_at=NOW)

    assert [current_document(locale=locale, now=NOW) for locale in ("en", "hi")] == [newest, newest]


@pytest.mark.django_db
def test_current_document_of_a_practice_that_has_published_nothing_is_none() -> None:
    assert current_document(locale="en", now=NOW) is None


def test_document_names_itself() -> None:
    assert str(shipped_document()) == "informed_consent 2024-01-15 (en)"
