"""The outbox in the admin: to read, and to give dead messages a second life."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils.text import Truncator

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import revive_one
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter

if TYPE_CHECKING:
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
