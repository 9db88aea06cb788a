"""Dead messages of the outbox, which the administrator retries: the rows that these tests act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.urls import reverse
from django.utils import timezone

from mindfulqalb.bulk_actions.outcomes import Instruction
from mindfulqalb.bulk_actions.services import begin_bulk_action
from mindfulqalb.bulk_actions.working import work_on
from mindfulqalb.outbox.delivery import deliver_message
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW
from mindfulqalb.staff.roles import ADMINISTRATOR
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.test import Client

    from mindfulqalb.bulk_actions.models import BulkAction
    from mindfulqalb.staff.models import StaffMember

LIST = "admin:outbox_outboxmessage_changelist"


def make_dead(count: int) -> list[OutboxMessage]:
    """Messages that nobody could deliver."""
    values: dict[str, Any] = {"topic": "test.work", "payload": {}, "due_at": NOW, "created_at": NOW}
    values |= {"state": State.DEAD, "finished_at": NOW}
    return OutboxMessage.objects.bulk_create(
        OutboxMessage(lane=f"booking:{number}", **values) for number in range(count)
    )


def make_clerk(client: Client) -> StaffMember:
    """An administrator at their browser."""
    clerk = make_member(ADMINISTRATOR)
    client.force_login(clerk)
    return clerk


def press(client: Client, rows: Sequence[OutboxMessage], **more: str) -> Any:
    """Choose rows and the action."""
    return client.post(reverse(LIST), {"action": "retry", "_selected_action": [str(row.pk) for row in rows], **more})


def answer(client: Client, asked: Any) -> Any:
    """Say yes on the page that asks."""
    context = asked.context
    sent = {"action": context["action"], "_selected_action": context["ids"], "key": context["key"]}
    return client.post(asked.wsgi_request.get_full_path(), sent | {"confirmed": "yes"})


def begin(member: StaffMember, rows: Sequence[OutboxMessage], *, key: UUID | None = None) -> BulkAction:
    """Ask for a retry as the page does."""
    told = Instruction(member, reason="", value="", now=timezone.now())
    return begin_bulk_action(
        key=key or uuid4(), model="outbox.OutboxMessage", action="retry", title="Retry", rows=rows, told=told
    )


def work(begun: BulkAction, *, is_last_try: bool = False) -> BulkAction:
    """Do what the worker does."""
    work_on(bulk_action_id=begun.id, is_last_try=is_last_try, now=timezone.now())
    begun.refresh_from_db()
    return begun


def deliver(begun: BulkAction) -> None:
    """Have the outbox deliver its message, the one that waits."""
    message = OutboxMessage.objects.get(lane=begun.lane, state=State.PENDING)
    deliver_message(message_id=message.id, now=timezone.now())


def counts(begun: BulkAction) -> tuple[int, int, bool]:
    """How many are done and not done, and whether that is all."""
    begun.refresh_from_db()
    return begun.done_count, begun.not_done_count, begun.finished_at is not None


def sentences(begun: BulkAction) -> list[str]:
    """What is said of each row that was not done."""
    return list(begun.rows.exclude(sentence="").order_by("position").values_list("sentence", flat=True))
