"""Sent mails in the admin: which went and which did not arrive, not what they say; and sending them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from mindfulqalb.api.errors import Refusal
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.resending import resend_letter
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.subjects import subject_column
from mindfulqalb.staff.values import values_called
from mindfulqalb.staff.words import Topic, called

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from mindfulqalb.bulk_actions.outcomes import Instruction

RESEND = Question(
    title="Send again",
    text="These go out once more as they were, with the links that are in them:",
    yes="Yes, send again",
    asks_why=True,
    input_label="To another address, where a client's was wrong (leave it empty for the same one); the old one is told",
)


def _refuse_one_address_for_many(mails: Sequence[SentMail], told: Instruction) -> None:
    if told.value and len({mail.recipient_hash for mail in mails}) > 1:
        raise Refusal("One address for mails of different people: choose one's alone.")


@admin.register(SentMail)
class SentMailAdmin(ReadOnlyAdmin):
    """Which mail went out about which booking; the filter by state lists what never arrived."""

    list_filter: ClassVar = ["state", ("template", values_called(called(Topic.MAIL)))]
    search_fields = ("about",)
    ordering = ("-sent_at",)
    exclude = ("content", "recipient_hash")
    actions = ("resend",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Lead to what each mail was about."""
        return ("sent_at", "what", subject_column(request, "about"), "state", "undelivered_status")

    @admin.display(description="mail")
    def what(self, mail: SentMail) -> str:
        """Say what it tells."""
        return called(Topic.MAIL)(mail.template)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether this person may send a mail once more."""
        return request.user.has_perm("mail.resend_sentmail")

    resend = RowAction(
        label="Send again",
        done="Mails sent again",
        permissions=["resend"],
        question=RESEND,
        check=_refuse_one_address_for_many,
        act=lambda row, told: resend_letter(
            mail_id=row.id, actor=told.actor, recipient=told.value, reason=told.reason, now=told.now
        ),
    )
