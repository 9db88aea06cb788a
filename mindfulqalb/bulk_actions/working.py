"""The worker's side of an action over many rows: one row after the other, each in one transaction with its note."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.db import OperationalError, transaction
from django.http import HttpRequest

from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.bulk_actions.outcomes import Instruction, Outcome, act_on, went_wrong
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.bulk_actions.services import call_worker, end_if_done
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.staff.door import is_staff
from mindfulqalb.staff.names import members_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from mindfulqalb.bulk_actions.models import BulkActionRow
    from mindfulqalb.staff.models import StaffMember

# A worker has other things to do: what is left goes on behind them.
SLICE_SECONDS = 5.0
UNKNOWN = Outcome(RowState.FAILED, "The server does not know this action any more.")
NOT_ALLOWED = Outcome(RowState.REFUSED, "You may not do this any more.")
OUT_OF_REACH = Outcome(RowState.REFUSED, "It is gone, or it is not yours to change any more.")


def work_on(*, bulk_action_id: UUID, is_last_try: bool, now: datetime) -> None:
    """Work on the rows that wait, for some seconds, and call for a worker to do the rest.

    Cut off anywhere, it goes on with the first row that is not done. Raises OperationalError for a row that may come
    through later, unless this is the last try.
    """
    ends = monotonic() + SLICE_SECONDS
    while _work_on_next(bulk_action_id, is_last_try=is_last_try, now=now):
        if monotonic() >= ends:
            with transaction.atomic():
                call_worker(BulkAction.objects.get(id=bulk_action_id), now=now)
            return


def _work_on_next(bulk_action_id: UUID, *, is_last_try: bool, now: datetime) -> bool:
    """Work on one row, and tell whether more are waiting."""
    with transaction.atomic():
        # Held while the row is worked on: a second worker waits here, and then takes the next row.
        under_way = BulkAction.objects.select_for_update().get(id=bulk_action_id)
        row = under_way.rows.filter(state=RowState.WAITING).order_by("position").first()
        if row is None:
            return False
        try:
            outcome = _carry_out(under_way, row, now)
        except OperationalError as failure:
            if not is_last_try:
                raise
            outcome = went_wrong(failure)
        _note(under_way, row, outcome, now)
    return under_way.waiting_count > 0


def _carry_out(under_way: BulkAction, row: BulkActionRow, now: datetime) -> Outcome:
    """Ask again whether whoever asked may do this to this row, as the list would, and act."""
    model_admin = admin.site.get_model_admin(apps.get_model(under_way.model))
    action = getattr(type(model_admin), under_way.action, None)
    if not isinstance(action, RowAction):
        return UNKNOWN
    member = members_of([under_way.actor]).get(under_way.actor)
    if not is_staff(member):
        return NOT_ALLOWED
    request = _request_of(member)
    if action.name not in model_admin.get_actions(request):
        return NOT_ALLOWED
    target = action.reach(model_admin.get_queryset(request), member).filter(pk=row.object_id).first()
    told = Instruction(member, reason=under_way.reason or "", value=under_way.value or "", now=now)
    return OUT_OF_REACH if target is None else act_on(target, action.act, told)


def _request_of(member: StaffMember) -> Any:
    request = HttpRequest()
    request.user = member
    return request


def _note(under_way: BulkAction, row: BulkActionRow, outcome: Outcome, now: datetime) -> None:
    row.state, row.sentence = outcome.state, outcome.sentence[:500]
    row.save(update_fields=["state", "sentence"])
    if outcome.state == RowState.DONE:
        under_way.done_count += 1
    else:
        under_way.not_done_count += 1
    end_if_done(under_way, now=now)
