"""Drafts become documents once, on purpose, and a translation belongs to its version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from consent.documents import digest_of
from consent.models import ConsentDocument
from consent.publishing import NotPublishable, draft_translation, publish_document
from consent.queries import current_document
from consent.tests.builders import LONG_AGO, NOW, make_document, publish
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

POINTS = [{"id": "item1", "label": "Yes."}]
LIST = reverse("admin:consent_consentdocument_changelist")


def make_draft(**overrides: Any) -> ConsentDocument:
    values = {"version": "2026-12-24", "locale": "en", "acknowledgments": POINTS, "published_at": None}
    return make_document(**values | overrides)


def shown(draft: ConsentDocument, actor: str = "staff:1") -> ConsentDocument:
    return publish_document(document_id=draft.id, actor=actor, now=NOW)


def test_published_draft_is_what_clients_are_asked_from_then_on() -> None:
    publish()

    document = shown(make_draft(text="One\r\nTwo"))

    kept = ConsentDocument.objects.get(id=document.id)
    assert (kept.published_at, kept.text, kept.sha256, current_document(locale="en", now=NOW)) == (
        NOW,
        "One\nTwo",
        digest_of(kept),
        kept,
    )


def test_draft_is_shown_to_nobody() -> None:
    make_draft()

    assert current_document(locale="en", now=NOW) is None


def test_publication_is_on_record() -> None:
    document = shown(make_draft(), actor="staff:7")

    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target, event.details) == (
        "consent.document_published",
        "staff:7",
        f"consent_document:{document.id}",
        {"kind": "informed_consent", "version": "2026-12-24", "locale": "en", "sha256": document.sha256},
    )


def test_document_is_published_once() -> None:
    document = shown(make_draft())

    with pytest.raises(NotPublishable, match="published already"):
        shown(document)


@pytest.mark.parametrize(
    ("original", "problem"),
    [
        (None, "English text of this kind and version first"),
        ({"published_at": None}, "English text of this kind and version first"),
        ({"kind": "marketing"}, "English text of this kind and version first"),
        ({"acknowledgments": []}, "the same points in the same order: none"),
        ({"acknowledgments": [*POINTS, {"id": "item2", "label": "And this."}]}, "same order: item1, item2"),
        ({"acknowledgments": [{"id": "item9", "label": "Yes."}]}, "same order: item9"),
    ],
)
def test_translation_that_does_not_belong_to_its_version_is_refused(
    original: dict[str, Any] | None, problem: str
) -> None:
    if original is not None:
        make_draft(**{"published_at": LONG_AGO} | original)

    with pytest.raises(NotPublishable, match=problem):
        shown(make_draft(locale="hi"))


def test_translation_with_the_same_points_is_published() -> None:
    make_draft(published_at=LONG_AGO)

    shown(make_draft(locale="hi", acknowledgments=[{"id": "item1", "label": "\u0939\u093e\u0901"}]))

    document = current_document(locale="hi", now=NOW)
    assert document is not None
    assert (document.locale, document.required_ids) == ("hi", ["item1"])


def test_translation_begins_with_the_points_of_its_original() -> None:
    original = publish()

    draft = draft_translation(document_id=original.id, locale="hi", actor="staff:7", now=NOW)

    assert (draft.is_draft, draft.locale, draft.version, draft.required_ids, draft.sha256) == (
        True,
        "hi",
        original.version,
        original.required_ids,
        "",
    )
    with pytest.raises(NotPublishable, match="there already"):
        draft_translation(document_id=original.id, locale="hi", actor="staff:7", now=NOW)


def test_beginning_a_translation_is_on_record() -> None:
    original = publish()

    draft = draft_translation(document_id=original.id, locale="hi", actor="staff:7", now=NOW)

    event = AuditEvent.objects.get(action="consent.translation_begun")
    named = {"kind": original.kind, "version": original.version, "locale": "hi", "original": str(original.id)}
    assert (event.actor, event.target, event.details) == ("staff:7", f"consent_document:{draft.id}", named)


@pytest.mark.parametrize("locale", ["en", "hi"])
def test_translation_of_a_draft_or_into_its_own_language_is_refused(locale: str) -> None:
    document = publish() if locale == "en" else make_draft()

    with pytest.raises(NotPublishable, match="Only a published text"):
        draft_translation(document_id=document.id, locale=locale, actor="staff:7", now=NOW)


# In the admin


def form(**overrides: str) -> dict[str, str]:
    values = {
        "kind": "marketing",
        "version": "2026-12-24",
        "locale": "en",
        "title": "News",
        "text": "# News\r\n\r\nOnce a month.",
        "acknowledgments": "item1: Yes, write to me.\r\n\r\nitem2: I know that I can stop it.",
    }
    return values | overrides


def test_draft_is_written_changed_and_published_in_the_admin(client: Client) -> None:
    staff = log_in(client)
    client.post(reverse("admin:consent_consentdocument_add"), form())
    draft = ConsentDocument.objects.get()
    change = reverse("admin:consent_consentdocument_change", args=[draft.id])

    page = client.get(change).content.decode()
    client.post(change, form(title="News and offers"))
    asked = client.post(LIST, {"action": "publish", "_selected_action": [str(draft.id)]})
    before = ConsentDocument.objects.get().published_at
    client.post(LIST, {"action": "publish", "_selected_action": [str(draft.id)], "confirmed": "yes"})

    document = ConsentDocument.objects.get()
    assert ("item1: Yes, write to me." in page, "nobody can change a word" in asked.content.decode(), before) == (
        True,
        True,
        None,
    )
    assert (document.title, document.required_ids, document.is_draft) == ("News and offers", ["item1", "item2"], False)
    assert AuditEvent.objects.get(action="consent.document_published").actor == f"staff:{staff.pk}"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"acknowledgments": "Yes, write to me."}, "acknowledgments", "Not a point"),
        ({"acknowledgments": "a: One\na: Two"}, "acknowledgments", "same id"),
        ({"locale": "hi"}, "locale", "English text of this kind and version first"),
        ({"kind": "gossip"}, "kind", "valid choice"),
        ({"text": ""}, "text", "required"),
    ],
)
def test_draft_that_cannot_be_is_refused_by_its_field(
    client: Client, fields: dict[str, str], field: str, message: str
) -> None:
    log_in(client)

    response = client.post(reverse("admin:consent_consentdocument_add"), form(**fields))

    assert (message in str(response.context["adminform"].form.errors[field]), ConsentDocument.objects.count()) == (
        True,
        0,
    )


def test_draft_is_deleted_in_the_admin_and_a_published_text_is_not(client: Client) -> None:
    log_in(client)
    draft, document = make_draft(), publish()

    answers = [
        client.post(reverse("admin:consent_consentdocument_delete", args=[row.id]), {"post": "yes"}).status_code
        for row in (draft, document)
    ]

    assert (answers, list(ConsentDocument.objects.all())) == ([302, 403], [document])


def test_translation_is_begun_in_the_admin(client: Client) -> None:
    log_in(client)
    document = publish()

    client.post(LIST, {"action": "translate_into_hindi", "_selected_action": [str(document.id)]})

    assert ConsentDocument.objects.get(locale="hi").is_draft is True


def test_publishing_needs_its_own_permission(client: Client) -> None:
    draft = make_draft()
    writer = StaffMember.objects.create_user("writer", is_staff=True)
    writer.user_permissions.set(_permissions("view_consentdocument", "change_consentdocument"))
    client.force_login(writer)

    client.post(LIST, {"action": "publish", "_selected_action": [str(draft.id)], "confirmed": "yes"})

    assert ConsentDocument.objects.get().is_draft is True


def _permissions(*names: str) -> Any:
    return Permission.objects.filter(codename__in=names)


def test_list_says_which_text_is_in_force(client: Client) -> None:
    log_in(client)
    publish()
    make_draft(version="2026-11-01", published_at=LONG_AGO + (NOW - LONG_AGO) / 2)
    make_draft(version="2026-12-24")

    page = client.get(LIST).content.decode()

    states = [word for word in ("Draft", "Published", "Retired: a newer version is in force") if f">{word}<" in page]
    assert states == ["Draft", "Published", "Retired: a newer version is in force"]
