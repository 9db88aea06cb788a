"""The outbox in the admin: to read, and to give dead messages a second life."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin, messages
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import ngettext

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import revive
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """What is to be done outside, and what came of it."""

    list_display = ("created_at", "state", "topic", "lane", "attempts", "due_at", "error")
    list_filter: ClassVar = ["state", ("topic", ValuesFilter), "created_at"]
    search_fields = ("lane",)
    ordering = ("-sequence",)
    actions = ("retry",)

    @admin.display(description="last error")
    def error(self, message: OutboxMessage) -> str:
        """Shorten the error to a line; the message's own page has all of it."""
        return Truncator(message.last_error).chars(80)

    @admin.action(description="Retry dead messages", permissions=["retry"])
    def retry(self, request: HttpRequest, queryset: QuerySet[OutboxMessage]) -> None:
        """Revive the chosen messages that are dead."""
        message_ids = list(queryset.values_list("id", flat=True))
        revived = revive(message_ids=message_ids, actor=f"staff:{request.user.pk}", now=timezone.now())
        said = ngettext("%d dead message is tried again.", "%d dead messages are tried again.", revived) % revived
        self.message_user(request, said, messages.SUCCESS if revived else messages.WARNING)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Let those retry who were given the permission."""
        return request.user.has_perm("outbox.retry_outboxmessage")
