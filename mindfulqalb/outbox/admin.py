"""The outbox in the admin: to read, and to give dead messages a second life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils.text import Truncator

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import revive_one
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.subjects import subject_column
from mindfulqalb.staff.values import values_called
from mindfulqalb.staff.words import Topic, called

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """What is to be done outside, and what came of it."""

    list_filter: ClassVar = ["state", ("topic", values_called(called(Topic.WORK))), "created_at"]
    search_fields = ("lane",)
    ordering = ("-sequence",)
    actions = ("retry",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Lead to what each message is about."""
        return ("created_at", "state", "what", subject_column(request, "lane"), "attempts", "due_at", "error")

    @admin.display(description="what")
    def what(self, message: OutboxMessage) -> str:
        """Say what is to be done."""
        return called(Topic.WORK)(message.topic)

    @admin.display(description="last error")
    def error(self, message: OutboxMessage) -> str:
        """Shorten the error to a line; the message's own page has all of it."""
        return Truncator(message.last_error).chars(80)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Let those retry who were given the permission."""
        return request.user.has_perm("outbox.retry_outboxmessage")

    retry = RowAction(
        label="Retry dead messages",
        done="Dead messages that are tried again",
        permissions=["retry"],
        ordering=["sequence"],  # each goes to the end of its lane: a cancel must not overtake its create
        act=lambda row, told: revive_one(message_id=row.id, actor=told.actor, now=told.now),
    )
