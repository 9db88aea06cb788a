"""Publish documents: from then on they are what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from consent.documents import digest_of, shipped_document, shipped_documents
from consent.models import ConsentDocument
from consent.queries import original_of
from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class NotPublishable(Refusal):
    """The document is not ready, or it is published already."""

    code = "not_publishable"
    status = 409
    sentence = "This document cannot be published."


def load_shipped_documents(*, now: datetime) -> list[ConsentDocument]:
    """Publish the documents that ship, except those whose version is there; return those published now."""
    return [document for document in shipped_documents() if _publish_shipped(document, now)]


def publish_shipped_document(*, now: datetime) -> bool:
    """Publish the English consent that ships unless its version is there; return whether it was published now."""
    return _publish_shipped(shipped_document(), now)


def differing_documents() -> list[ConsentDocument]:
    """List published documents that bear the name of one that ships and other words."""
    return [
        document
        for ours in shipped_documents()
        for document in ConsentDocument.objects.filter(kind=ours.kind, version=ours.version, locale=ours.locale)
        if document.sha256 != ours.sha256
    ]


def publish_document(*, document_id: UUID, actor: str, now: datetime) -> ConsentDocument:
    """Make a draft the text that clients are asked to accept from now on. Raises NotPublishable."""
    with transaction.atomic():
        draft = ConsentDocument.objects.select_for_update().get(id=document_id)
        if not draft.is_draft:
            raise NotPublishable("It is published already.")
        if problem := translation_problem(draft, now=now):
            raise NotPublishable(problem)
        draft.text = draft.text.replace("\r\n", "\n")
        draft.sha256 = digest_of(draft)
        draft.published_at = now
        draft.save()
        _note(draft, "document_published", actor, now, sha256=draft.sha256)
    return draft


@transaction.atomic
def draft_translation(*, document_id: UUID, locale: str, actor: str, now: datetime) -> ConsentDocument:
    """Begin a translation of a published text: a draft that asks for the same points. Raises NotPublishable."""
    original = ConsentDocument.objects.get(id=document_id)
    if original.is_draft or original.locale == locale:
        raise NotPublishable("Only a published text can be translated, and into another language.")
    same = {name: getattr(original, name) for name in ("kind", "version", "title", "text", "acknowledgments")}
    draft, is_new = ConsentDocument.objects.get_or_create(
        kind=same.pop("kind"), version=same.pop("version"), locale=locale, defaults=same
    )
    if not is_new:
        raise NotPublishable("That translation is there already.")
    _note(draft, "translation_begun", actor, now, original=str(original.id))
    return draft


def translation_problem(draft: ConsentDocument, *, now: datetime) -> str:
    """Say why this draft is no translation of its version; empty when it is one, or is in English itself."""
    if draft.locale == "en":
        return ""
    original = original_of(draft, now=now)
    if original is None:
        return "Publish the English text of this kind and version first."
    if original.required_ids != draft.required_ids:
        return (
            f"A translation asks for the same points in the same order: {', '.join(original.required_ids) or 'none'}."
        )
    return ""


def _publish_shipped(document: ConsentDocument, now: datetime) -> bool:
    document.published_at = now
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError:
        return False
    return True


def _note(document: ConsentDocument, what: str, actor: str, now: datetime, **details: str) -> None:
    named = {"kind": document.kind, "version": document.version, "locale": document.locale}
    target = f"consent_document:{document.id}"
    record(action=f"consent.{what}", actor=actor, target=target, now=now, details=named | details)
