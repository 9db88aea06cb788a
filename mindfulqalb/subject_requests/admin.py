"""The register in the admin: persons stay sealed until somebody gathers, and says why."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpResponse
from django.utils import timezone

from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.finding import ClientFilter, FindsByEmail
from mindfulqalb.staff.masking import mask_email, mask_name, mask_phone
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.subject_requests.answers import Particulars
from mindfulqalb.subject_requests.gathering import ENCODER, gather, held_page
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.services import (
    answer_request,
    begin_erasure,
    close_request,
    missing_particulars,
    receive_request,
    verify_identity,
)
from mindfulqalb.subject_requests.states import Outcome, RequestKind, Verification

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest

PERSON = ("person_name", "person_email", "person_phone")
ASK = partial(Question, yes="Yes", line=str, asks_why=True)
GATHER = ASK(action="gather_json", title="Gather everything held", text="Everything about this person, as JSON:")
READ = ASK(action="gather_page", title="Gather everything held", text="Everything about this person, to read:")
ERASE = ASK(
    action="begin_erasure",
    title="Begin the erasure",
    text="Their data is used no more from now on, and goes when the law no longer keeps it:",
)


ANSWER = ASK(
    action="answer",
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


def _moving(label: str, act: Callable[[HttpRequest, SubjectRequest], object]) -> Any:
    @admin.action(description=label, permissions=["handle"])
    def run(model_admin: Any, request: HttpRequest, rows: QuerySet[SubjectRequest]) -> None:
        act_on_each(model_admin, request, rows, partial(act, request), done=label)

    return run


def _verify(item: Verification) -> Any:
    def act(request: HttpRequest, row: SubjectRequest) -> None:
        verify_identity(request_id=row.id, verification=item, actor=_actor(request), now=timezone.now())

    return _moving(f"Verified: {item.label}", act)


def _close(item: Outcome) -> Any:
    def act(request: HttpRequest, row: SubjectRequest) -> None:
        reason, actor = str(item.label), _actor(request)
        close_request(request_id=row.id, outcome=item, reason=reason, actor=actor, now=timezone.now())

    return _moving(f"Close: {item.label}", act)


@admin.register(SubjectRequest)
class SubjectRequestAdmin(FindsByEmail, RevealingAdmin):
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
    list_filter: ClassVar = ["kind", "outcome", ("closed_at", admin.EmptyFieldListFilter), ClientFilter]
    search_fields = ("id",)
    digest_field = "email_hash"
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
        return self._hand_out(request, rows, READ, "html", lambda held: held_page(held, now=timezone.now()))

    @admin.action(description="Do what they ask: correct or withdraw", permissions=["handle"])
    def answer(self, request: HttpRequest, rows: QuerySet[SubjectRequest]) -> Any:
        """Correct their bookings, or withdraw their consent."""
        page = ask_first(self, request, rows, ANSWER)
        if page is None:
            act_on_each(self, request, rows, partial(_answer, request), done="Done as asked")
        return page

    @admin.action(description="Begin the erasure", permissions=["handle"])
    def begin_erasure(self, request: HttpRequest, rows: QuerySet[SubjectRequest]) -> Any:
        """Restrict at once, erase when the law allows."""
        page = ask_first(self, request, rows, ERASE)
        if page is None:
            act_on_each(self, request, rows, partial(_erase, request), done="Erasures begun")
        return page

    def _hand_out(
        self, request: HttpRequest, rows: QuerySet[Any], question: Question, suffix: str, write: Callable[[Any], str]
    ) -> Any:
        page = ask_first(self, request, rows, question)
        row = rows.first()
        if page is not None or row is None:
            return page
        if len(rows) > 1 or not request.POST.get("reason", "").strip():
            self.message_user(request, "One person at a time, with a reason.", "WARNING")
            return None
        target = f"subject_request:{row.pk}"
        why, now = request.POST["reason"], timezone.now()
        held = gather(email=row.email, actor=_actor(request), reason=why, now=now, target=target)
        headers = {"Content-Disposition": f'attachment; filename="held.{suffix}"', "Cache-Control": "no-store"}
        media_type = "application/json" if suffix == "json" else "text/html; charset=utf-8"
        return HttpResponse(write(held), content_type=media_type, headers=headers)


def _answer(request: HttpRequest, row: SubjectRequest) -> None:
    why = request.POST.get("reason", "")
    answer_request(request_id=row.id, reason=why, actor=_actor(request), now=timezone.now())


def _erase(request: HttpRequest, row: SubjectRequest) -> None:
    why = request.POST.get("reason", "")
    begin_erasure(request_id=row.id, reason=why, actor=_actor(request), now=timezone.now())


def _actor(request: HttpRequest) -> str:
    return f"staff:{request.user.pk}"
