"""Actions of the admin that do the same to each chosen row: at once to a few, in the background to more.

Looked at and not taken: celery-progress (counts in Celery's result backend, which forgets with Redis, and draws with a
script), django-import-export (rows out of files and into them; it calls no services) and Celery's own group and chord
(the rows would live in the broker: killed or flushed, nobody knows which were done).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.db import OperationalError
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import required_reason
from mindfulqalb.bulk_actions.outcomes import Instruction, act_on, went_wrong
from mindfulqalb.bulk_actions.services import begin_bulk_action
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.staff.confirmation import Question, ask_first, is_confirmed
from mindfulqalb.staff.door import member_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.contrib import admin
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest, HttpResponse

    from mindfulqalb.staff.models import StaffMember

FEW = 10
# Django takes a thousand fields from a form; the page that asks has one for each row.
MOST = 500
LEVELS = {RowState.REFUSED: "WARNING", RowState.FAILED: "ERROR"}


def _anybody(rows: QuerySet[Any], _member: StaffMember) -> QuerySet[Any]:
    return rows


def _nothing(_rows: Sequence[Any], _told: Instruction) -> None:
    return


@dataclass(eq=False)
class RowAction:
    """An attribute of a ModelAdmin, named in its `actions`: `act` calls one service for one row.

    `act` may be called again for a row that is done already, and then refuses. `reach` keeps the rows that a person may
    act on, `check` refuses a choice as a whole, `ordering` counts where the list's own does not do, and `permissions`
    are those of Django's admin actions. Without a `question` it acts at once where a few rows are chosen, and asks in
    general words about more.
    """

    label: str
    act: Callable[[Any, Instruction], object]
    done: str
    permissions: Sequence[str]
    question: Question | None = None
    related: Sequence[str] = ()
    ordering: Sequence[Any] = ()
    reach: Callable[[QuerySet[Any], StaffMember], QuerySet[Any]] = _anybody
    check: Callable[[Sequence[Any], Instruction], None] = _nothing
    name: str = field(init=False, default="")

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn by which name Django knows it."""
        self.name = name

    @property
    def short_description(self) -> str:
        """What the list of actions says."""
        return self.label

    @property
    def allowed_permissions(self) -> Sequence[str]:
        """What Django asks before it offers or calls it."""
        return self.permissions

    @property
    def asked(self) -> Question:
        """What is asked about many rows."""
        return self.question or Question(title=self.label, text="This is done to each of these:", yes="Yes")

    def __call__(
        self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any]
    ) -> HttpResponse | None:
        """Ask where it is to be asked; then act on a few rows at once, or begin a bulk action and show its page."""
        chosen = self._chosen(model_admin, request, rows)
        told = _instruction(request)
        if not is_confirmed(request) and (self.question or len(chosen) > FEW):
            return ask_first(model_admin, request, chosen, self.asked, action=self.name)
        try:
            _require_reason(self.asked, told)
            self.check(chosen, told)
        except Refusal as refusal:
            model_admin.message_user(request, refusal.detail, "WARNING")
            return None
        if len(chosen) > FEW:
            return self._begin(model_admin, request, chosen, told)
        self._act_at_once(model_admin, request, chosen, told)
        return None

    def _chosen(self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, rows: QuerySet[Any]) -> list[Any]:
        within = self.reach(rows.select_related(*self.related) if self.related else rows, member_of(request))
        within = within.order_by(*self.ordering) if self.ordering else within
        chosen = list(within[: MOST + 1])
        if len(chosen) > MOST:
            text = f"{MOST} at most are done at once: the first {MOST} of what you chose. Choose the rest afterwards."
            model_admin.message_user(request, text, "WARNING")
        return chosen[:MOST]

    def _begin(
        self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, chosen: Sequence[Model], told: Instruction
    ) -> HttpResponse:
        opts = model_admin.opts
        title = f"{self.label}: {len(chosen)} {opts.verbose_name_plural}"
        begun = begin_bulk_action(
            key=_key(request), model=opts.label, action=self.name, title=title, rows=chosen, told=told
        )
        model_admin.message_user(request, f"{self.label}: {begun.row_count} are being worked on.", "SUCCESS")
        return HttpResponseRedirect(reverse("admin:bulk_actions_bulkaction_change", args=[begun.pk]))

    def _act_at_once(
        self, model_admin: admin.ModelAdmin[Any], request: HttpRequest, chosen: Sequence[Model], told: Instruction
    ) -> None:
        count = 0
        for row in chosen:
            try:
                outcome = act_on(row, self.act, told)
            except OperationalError as failure:
                outcome = went_wrong(failure)
            if outcome.state == RowState.DONE:
                count += 1
            else:
                model_admin.message_user(request, f"{row}: {outcome.sentence}", LEVELS[outcome.state])
        if count:
            model_admin.message_user(request, f"{self.done}: {count}.", "SUCCESS")


def _instruction(request: HttpRequest) -> Instruction:
    return Instruction(
        member=member_of(request),
        reason=request.POST.get("reason", ""),
        value=request.POST.get("input", "").strip(),
        now=timezone.now(),
    )


def _require_reason(question: Question, told: Instruction) -> None:
    if question.asks_why:
        required_reason(told.reason)


def _key(request: HttpRequest) -> UUID:
    """Read which page was answered; an answer that was not written by a page of ours is one of its own."""
    try:
        return UUID(request.POST.get("key", ""))
    except ValueError:
        return uuid4()
