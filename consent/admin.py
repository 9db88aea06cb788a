"""Consent in the admin: evidence, to read; and the drafts of documents, until they are published."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.db.models import Case, Value, When
from django.utils import timezone
from django.utils.translation import get_language_info

from consent.drafts import DraftForm
from consent.export_admin import ExportPage
from consent.models import ConsentDocument, ConsentRecord
from consent.publishing import draft_translation, publish_document
from consent.queries import newest_document, with_state
from consent.states import GIVING, ConsentState
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.catalogue.words import type_in_words
from mindfulqalb.staff.audited import AuditedAdmin
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.finding import ClientFilter, FindsPersons
from mindfulqalb.staff.masking import mask_address, mask_email, mask_name
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.staff.values import ValuesFilter, values_called

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


def language_in_english(locale: str) -> str:
    """Name a language: `hi` is Hindi."""
    try:
        return str(get_language_info(locale)["name"])
    except KeyError:
        return locale


PUBLISH = Question(
    title="Publish for good",
    text="From now on clients are asked to accept these texts, and nobody can change a word of them:",
    yes="Yes, publish",
    line=lambda document: (
        f"{document.get_kind_display()}, version {document.version} ({language_in_english(document.locale)})"
    ),
)


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(AuditedAdmin):
    """Drafts to write and publish; what was published, to read."""

    kind = "consent_document"
    on_record = ("kind", "version", "locale", "title", "text", "acknowledgments")
    form = DraftForm
    list_display = ("kind", "version", "language", "title", "state", "published_at")
    list_filter = ("kind", ("locale", values_called(language_in_english)))
    ordering = ("kind", "-version", "locale")
    readonly_fields = ("sha256", "published_at")
    actions = ("publish", "translate_into_hindi")

    def has_change_permission(self, request: HttpRequest, obj: ConsentDocument | None = None) -> bool:
        """Allow it for drafts; what was published never changes, whoever asks."""
        return (obj is None or obj.is_draft) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ConsentDocument | None = None) -> bool:
        """Allow it for one draft at a time."""
        return obj is not None and obj.is_draft and super().has_delete_permission(request, obj)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        """Whether this person may publish."""
        return request.user.has_perm("consent.publish_consentdocument")

    @admin.display(description="language", ordering="locale")
    def language(self, document: ConsentDocument) -> str:
        """Name its language."""
        return language_in_english(document.locale)

    @admin.display(description="State")
    def state(self, document: ConsentDocument) -> str:
        """Say what it is now."""
        newest = newest_document(kind=document.kind, now=timezone.now())
        return document.state_beside(newest).label

    publish = RowAction(
        label="Publish for good",
        done="Published",
        permissions=["publish"],
        question=PUBLISH,
        # A translation is published after its original.
        ordering=[Case(When(locale="en", then=Value(0)), default=Value(1)), "version", "locale"],
        act=lambda row, told: publish_document(document_id=row.id, actor=told.actor, now=told.now),
    )
    translate_into_hindi = RowAction(
        label="Begin a Hindi translation",
        done="Drafts to translate",
        permissions=["add"],
        act=lambda row, told: draft_translation(document_id=row.id, locale="hi", actor=told.actor, now=told.now),
    )


@admin.register(ConsentRecord)
class ConsentRecordAdmin(FindsPersons, ExportPage, RevealingAdmin):
    """Who accepted which text, and who withdrew; persons stay masked until somebody says why they look."""

    kind = "consent"
    persons: ClassVar = {
        "email": mask_email,
        "guardian_name": mask_name,
        "guardian_email": mask_email,
        "full_ip_address": mask_address,
    }
    reveal_permission = "consent.reveal_consentrecord"
    digest_field = "email_hash"
    search_fields = ("id",)
    list_display = ("created_at", "event", "state", "kind", "who_comes", "consent_version", "language", "valid_until")
    list_filter: ClassVar = [
        *("event", "kind", ("consent_version", ValuesFilter), ("session_type", values_called(type_in_words))),
        *("age_band", "method", "is_flagged", ClientFilter),
    ]
    ordering = ("-created_at",)
    exclude = ("email", "full_ip_address", "claimed_ip_address", "guardian_name", "guardian_email")
    readonly_fields = ("state", "person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentRecord]:
        """Say of each row what has become of it."""
        return with_state(now=timezone.now(), records=super().get_queryset(request))

    @admin.display(description="session type")
    def who_comes(self, record: ConsentRecord) -> str:
        """Say for whom it was."""
        return type_in_words(record.session_type)

    @admin.display(description="language")
    def language(self, record: ConsentRecord) -> str:
        """Name the language of the text."""
        return language_in_english(record.locale)

    @admin.display(description="State")
    def state(self, record: ConsentRecord) -> str:
        """Say what has become of a given consent; an act that closed one has no state of its own."""
        state: str = record.state  # type: ignore[attr-defined]
        return str(ConsentState(state).label) if record.event in GIVING else "-"
