"""Sent mails in the admin: which went and which did not arrive, not what they say; and sending them again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils import timezone

from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.resending import resend_letter
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

RESEND = Question(
    action="resend",
    title="Send again",
    text="These go out once more as they were, with the links that are in them:",
    yes="Yes, send again",
    line=str,
    asks_why=True,
    input_label="To another address, where a client's was wrong (leave it empty for the same one); the old one is told",
)


@admin.register(SentMail)
class SentMailAdmin(ReadOnlyAdmin):
    """Which mail went out about which booking; the filter by state lists what never arrived."""

    list_display = ("sent_at", "template", "about", "state", "undelivered_status")
    list_filter: ClassVar = ["state", ("template", ValuesFilter)]
    search_fields = ("about",)
    ordering = ("-sent_at",)
    exclude = ("content", "recipient_hash")
    actions = ("resend",)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whether this person may send a mail once more."""
        return request.user.has_perm("mail.resend_sentmail")

    @admin.action(description="Send again", permissions=["resend"])
    def resend(self, request: HttpRequest, rows: QuerySet[SentMail]) -> TemplateResponse | None:
        """Send the chosen mails once more after a question, which also takes a corrected address."""
        page = ask_first(self, request, rows, RESEND)
        if page is None:
            recipient = request.POST.get("input", "").strip()
            if recipient and rows.values("recipient_hash").distinct().count() > 1:
                self.message_user(request, "One address for mails of different people: choose one's alone.", "WARNING")
                return None
            act_on_each(self, request, rows, partial(_resend, request, recipient), done="Mails sent again")
        return page


def _resend(request: HttpRequest, recipient: str, mail: SentMail) -> None:
    actor, reason = f"staff:{request.user.pk}", request.POST.get("reason", "")
    resend_letter(mail_id=mail.id, actor=actor, recipient=recipient, reason=reason, now=timezone.now())
