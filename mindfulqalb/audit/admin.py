"""The audit trail in the admin: to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList

from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.names import login_names
from mindfulqalb.staff.read_only import ReadOnlyAdmin, UncompiledAdmin
from mindfulqalb.staff.subjects import subject_column
from mindfulqalb.staff.values import values_called
from mindfulqalb.staff.words import Topic, called, called_with_code

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class NamedEvents(ChangeList):
    """A page of events that knows the login names of the staff on it, by one query."""

    def get_results(self, request: HttpRequest) -> None:
        """Look the names up once the page is cut: rows that are skipped need none."""
        super().get_results(request)
        events: list[Any] = list(self.result_list)
        names = login_names({event.actor for event in events})
        for event in events:
            event.names = names
        self.result_list = events


@admin.register(AuditEvent)
class AuditEventAdmin(UncompiledAdmin):
    """Who did what to which object, and why."""

    list_filter: ClassVar = ["occurred_at", ("action", values_called(called_with_code(Topic.ACT)))]
    search_fields = ("action", "target", "actor", "request_id")
    search_help_text = "A whole id, such as booking:… or staff:…, a whole login name, or a whole action."
    readonly_fields = ("who",)
    exclude = ("actor",)
    ordering = ("-occurred_at",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Tell in words and by name, and lead to what each event is about."""
        return ("occurred_at", "what", "action", subject_column(request, "target"), "who", "reason")

    @admin.display(description="what happened")
    def what(self, event: AuditEvent) -> str:
        """Say it in words."""
        return called(Topic.ACT)(event.action)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """List them with names."""
        return NamedEvents

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """Take a login name for the actor that it is."""
        member = StaffMember.objects.filter(username=search_term.strip()).first() if search_term else None
        return super().get_search_results(request, queryset, f"staff:{member.pk}" if member else search_term)

    @admin.display(description="actor")
    def who(self, event: Any) -> str:
        """Name the staff beside the id."""
        names = event.names if hasattr(event, "names") else login_names([event.actor])
        return f"{names[event.actor]} ({event.actor})" if event.actor in names else event.actor


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    """How the events are chained."""

    list_display = ("sequence", "event_id", "chained_at", "chain_digest")
    ordering = ("-sequence",)


@admin.register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    """What was signed, and sent out of the house."""

    list_display = ("number", "sequence", "signed_at", "key_id", "chain_digest")
    ordering = ("-number",)


@admin.register(AuditVerification)
class AuditVerificationAdmin(ReadOnlyAdmin):
    """What looking through the whole trail found."""

    list_display = ("started_at", "finished_at", "event_count", "row_count", "erased_count", "finding_count")
    ordering = ("-started_at",)
