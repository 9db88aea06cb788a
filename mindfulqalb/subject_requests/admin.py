"""The register in the admin: persons stay sealed until somebody gathers, and says why."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.utils import timezone

from mindfulqalb.api.errors import Refusal
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.staff.confirmation import Question, ask_first, is_confirmed
from mindfulqalb.staff.finding import EMAIL_PHONE_OR_ID, ClientFilter, FindsPersons
from mindfulqalb.staff.masking import mask_email, mask_name, mask_phone
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.staff.values import whether
from mindfulqalb.subject_requests.answers import Particulars
from mindfulqalb.subject_requests.gathering import ENCODER, held_page
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.services import (
    answer_request,
    begin_erasure,
    close_request,
    hand_out_held,
    missing_particulars,
    receive_request,
    verify_identity,
)
from mindfulqalb.subject_requests.states import Outcome, RequestKind, Verification

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest

    from mindfulqalb.bulk_actions.outcomes import Instruction

HANDED_OUT_AS = {"json": ("json", "application/json"), "page": ("html", "text/html; charset=utf-8")}
PERSON = ("person_name", "person_email", "person_phone")
ASK = partial(Question, yes="Yes", asks_why=True)
GATHER = ASK(title="Gather everything held", text="Everything about this person, as JSON:")
READ = ASK(title="Gather everything held", text="Everything about this person, to read:")
ERASE = ASK(
    title="Begin the erasure",
    text="Their data is used no more from now on, and goes when the law no longer keeps it:",
)


ANSWER = ASK(
    title="Do what they ask",
    text="A correction is made in all their bookings; a withdrawal ends all that they agreed to, and they are told:",
)


class RequestForm(forms.ModelForm[SubjectRequest]):
    """What somebody asks."""

    kind = forms.ChoiceField(choices=RequestKind.choices)
    email = forms.EmailField(help_text="By which we know them.")
    wish = forms.CharField(widget=forms.Textarea, required=False, help_text="In their words.")
    person_name = forms.CharField(
        required=False, max_length=200, label="Name", help_text="As it should be; of a nomination, whom they name."
    )
    person_email = forms.EmailField(required=False, label="Email", help_text="Likewise; empty: stays as it is.")
    person_phone = forms.CharField(required=False, max_length=30, label="Phone", help_text="Likewise.")

    class Meta:
        model = SubjectRequest
        fields: tuple[str, ...] = ()

    @property
    def particulars(self) -> Particulars:
        """What is to be corrected, or who is named."""
        return Particulars(*(self.cleaned_data.get(name) or "" for name in PERSON))

    def clean(self) -> dict[str, Any]:
        """Ask for what a correction or a nomination cannot be without."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name, sentence in missing_particulars(cleaned.get("kind", ""), self.particulars).items():
            self.add_error(name, sentence)
        return cleaned


def _verify(item: Verification) -> RowAction:
    return _moving(
        f"Verified: {item.label}",
        lambda row, told: verify_identity(request_id=row.id, verification=item, actor=told.actor, now=told.now),
    )


def _close(item: Outcome) -> RowAction:
    why = str(item.label)
    return _moving(
        f"Close: {item.label}",
        lambda row, told: close_request(request_id=row.id, outcome=item, reason=why, actor=told.actor, now=told.now),
    )


def _moving(label: str, act: Callable[[Any, Instruction], object]) -> RowAction:
    return RowAction(label=label, done=label, permissions=["handle"], act=act)


@admin.register(SubjectRequest)
class SubjectRequestAdmin(FindsPersons, RevealingAdmin):
    """Who asked what about their own data; taken in by "Add", moved by actions."""

    form = RequestForm
    kind = "subject_request"
    persons: ClassVar = {
        "email": mask_email,
        "person_name": mask_name,
        "person_email": mask_email,
        "person_phone": mask_phone,
    }
    reveal_permission = "subject_requests.gather_held"
    readonly_fields = ("person",)
    list_display = ("due_at", "kind", "received_at", "verification", "outcome", "closed_at")
    list_filter: ClassVar = [
        "kind",
        "outcome",
        ("closed_at", whether("state", empty="Open", filled="Closed")),
        ClientFilter,
    ]
    search_fields = ("id",)
    digest_field = "email_hash"
    phone_digest_field = "person_phone_hash"
    findable = EMAIL_PHONE_OR_ID
    ordering = ("closed_at", "due_at")
    shown = ("kind", "person", "received_at", "due_at", "verification", "verified_at", "outcome", "closed_at")
    actions = (
        *("gather_json", "gather_page", "answer", "begin_erasure", "closed_done", "closed_partly", "closed_refused"),
        *("verified_signed_link", "verified_mail_answered", "verified_known", "verified_document_seen"),
    )

    verified_signed_link = _verify(Verification.SIGNED_LINK)
    verified_mail_answered = _verify(Verification.MAIL_ANSWERED)
    verified_known = _verify(Verification.KNOWN)
    verified_document_seen = _verify(Verification.DOCUMENT_SEEN)
    closed_done = _close(Outcome.DONE)
    closed_partly = _close(Outcome.PARTLY)
    closed_refused = _close(Outcome.REFUSED)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow it to whoever's role says so."""
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_gather_permission(self, request: HttpRequest) -> bool:
        """Whether this person may look at all that is held."""
        return request.user.has_perm("subject_requests.gather_held")

    def has_handle_permission(self, request: HttpRequest) -> bool:
        """Whether this person may move requests on."""
        return request.user.has_perm("subject_requests.change_subjectrequest")

    def get_fields(self, request: HttpRequest, obj: SubjectRequest | None = None) -> Any:
        """Ask for what a request needs, and show how far it is."""
        return self.shown if obj else ("kind", "email", "wish", *PERSON)

    def save_model(self, request: HttpRequest, obj: SubjectRequest, form: Any, change: bool) -> None:  # noqa: FBT001
        """Take it in."""
        asked = {name: form.cleaned_data[name] for name in ("kind", "email", "wish")}
        made = receive_request(**asked, particulars=form.particulars, actor=_actor(request), now=timezone.now())
        obj.pk = made.pk
        obj.refresh_from_db()

    @admin.action(description="Gather everything held, as JSON", permissions=["gather"])
    def gather_json(self, request: HttpRequest, rows: QuerySet[SubjectRequest]) -> Any:
        """Hand out all that is held on the person who asked, for programs."""
        return self._hand_out(request, rows, GATHER, "json", lambda held: json.dumps(held, cls=ENCODER, indent=1))

    @admin.action(description="Gather everything held, to read", permissions=["gather"])
    def gather_page(self, request: HttpRequest, rows: QuerySet[SubjectRequest]) -> Any:
        """Hand out all that is held on the person who asked, for people."""
        return self._hand_out(request, rows, READ, "page", lambda held: held_page(held, now=timezone.now()))

    answer = RowAction(
        label="Do what they ask: correct or withdraw",
        done="Done as asked",
        permissions=["handle"],
        question=ANSWER,
        act=lambda row, told: answer_request(request_id=row.id, reason=told.reason, actor=told.actor, now=told.now),
    )
    begin_erasure = RowAction(
        label="Begin the erasure",
        done="Erasures begun",
        permissions=["handle"],
        question=ERASE,
        act=lambda row, told: begin_erasure(request_id=row.id, reason=told.reason, actor=told.actor, now=told.now),
    )

    def _hand_out(
        self, request: HttpRequest, rows: QuerySet[Any], question: Question, form: str, write: Callable[[Any], str]
    ) -> Any:
        if not is_confirmed(request):
            return ask_first(self, request, list(rows), question, action=f"gather_{form}")
        row = rows.first()
        if row is None:
            return None
        if len(rows) > 1 or not request.POST.get("reason", "").strip():
            self.message_user(request, "One person at a time, with a reason.", "WARNING")
            return None
        why, now = request.POST["reason"], timezone.now()
        try:
            held = hand_out_held(request_id=row.pk, actor=_actor(request), reason=why, now=now)
        except Refusal as refusal:
            self.message_user(request, str(refusal.detail), "WARNING")
            return None
        suffix, media_type = HANDED_OUT_AS[form]
        headers = {"Content-Disposition": f'attachment; filename="held.{suffix}"', "Cache-Control": "no-store"}
        return HttpResponse(write(held), content_type=media_type, headers=headers)


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.pk}"
