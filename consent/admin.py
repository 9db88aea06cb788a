"""Consent in the admin: evidence, to read; and the drafts of documents, until they are published."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils import timezone

from consent.drafts import DraftForm
from consent.export_admin import ExportPage
from consent.models import ConsentDocument, ConsentRecord
from consent.publishing import draft_translation, publish_document
from consent.queries import newest_document, with_state
from consent.states import GIVING, ConsentState
from mindfulqalb.staff.audited import AuditedAdmin
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.finding import ClientFilter, FindsByEmail
from mindfulqalb.staff.masking import mask_address, mask_email, mask_name
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.staff.values import ValuesFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

PUBLISH = Question(
    action="publish",
    title="Publish for good",
    text="From now on clients are asked to accept these texts, and nobody can change a word of them:",
    yes="Yes, publish",
    line=lambda document: f"{document.get_kind_display()}, version {document.version} ({document.locale})",
)


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(AuditedAdmin):
    """Drafts to write and publish; what was published, to read."""

    kind = "consent_document"
    on_record = ("kind", "version", "locale", "title", "text", "acknowledgments")
    form = DraftForm
    list_display = ("kind", "version", "locale", "title", "state", "published_at")
    list_filter = ("kind", "locale")
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

    @admin.display(description="State")
    def state(self, document: ConsentDocument) -> str:
        """Say what it is now."""
        newest = newest_document(kind=document.kind, now=timezone.now())
        return document.state_beside(newest).label

    @admin.action(description="Publish for good", permissions=["publish"])
    def publish(self, request: HttpRequest, rows: QuerySet[ConsentDocument]) -> TemplateResponse | None:
        """Publish the chosen drafts after a question, English before its translations."""
        page = ask_first(self, request, rows, PUBLISH)
        if page is None:
            english_first = sorted(rows, key=lambda row: row.locale != "en")
            act_on_each(self, request, english_first, partial(_publish, f"staff:{request.user.pk}"), done="Published")
        return page

    @admin.action(description="Begin a Hindi translation", permissions=["add"])
    def translate_into_hindi(self, request: HttpRequest, rows: QuerySet[ConsentDocument]) -> None:
        """Make a draft with the same points for each chosen text."""
        act_on_each(self, request, rows, partial(_translate, "hi"), done="Drafts to translate")


@admin.register(ConsentRecord)
class ConsentRecordAdmin(FindsByEmail, ExportPage, RevealingAdmin):
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
    list_display = ("created_at", "event", "state", "kind", "session_type", "consent_version", "locale", "valid_until")
    list_filter: ClassVar = [
        *("event", "kind", ("consent_version", ValuesFilter), ("session_type", ValuesFilter)),
        *("age_band", "method", "is_flagged", ClientFilter),
    ]
    ordering = ("-created_at",)
    exclude = ("email", "full_ip_address", "claimed_ip_address", "guardian_name", "guardian_email")
    readonly_fields = ("state", "person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConsentRecord]:
        """Say of each row what has become of it."""
        return with_state(now=timezone.now(), records=super().get_queryset(request))

    @admin.display(description="State")
    def state(self, record: ConsentRecord) -> str:
        """Say what has become of a given consent; an act that closed one has no state of its own."""
        state: str = record.state  # type: ignore[attr-defined]
        return str(ConsentState(state).label) if record.event in GIVING else "-"


def _publish(actor: str, document: ConsentDocument) -> None:
    publish_document(document_id=document.id, actor=actor, now=timezone.now())


def _translate(locale: str, document: ConsentDocument) -> None:
    draft_translation(document_id=document.id, locale=locale)
