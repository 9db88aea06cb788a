"""The API keeps to its own description, whatever it is sent: no crash, and no status or body that is not in there.

`make fuzz` does the same with at least 20,000 requests, from a random seed and with vendors that fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.tests.fuzzing.workflow import Workflow

if TYPE_CHECKING:
    from bookings.tests.fuzzing.caller import Caller

REQUESTS = 400
# The links that lead from a free time to a session that is paid, looked at and cancelled.
THE_WAY = {"hold", "prove", "book", "look", "cancel"}


def test_api_answers_as_described(caller: Caller) -> None:
    caller.run(requests=REQUESTS, derandomize=True)

    assert caller.findings == {}
    assert {label for label, _ in caller.answers} == {operation.label for operation in caller.operations}
    # It came as far as holds that can be paid for, and bookings.
    assert caller.answers["POST /api/bookings/hold", 201] > 0
    assert caller.answers["POST /api/bookings", 201] > 0


def test_api_answers_as_described_while_every_vendor_fails(caller: Caller) -> None:
    caller.let_vendors_fail()

    caller.run(requests=REQUESTS // 4, derandomize=True)

    assert caller.findings == {}


def test_api_answers_as_described_along_its_links(caller: Caller) -> None:
    workflow = Workflow(caller, without="/api/auth")

    while not workflow.trodden >= THE_WAY and caller.answers.total() < REQUESTS:
        workflow.run(chains=15)

    assert caller.findings == {}
    assert THE_WAY - workflow.trodden == set()
