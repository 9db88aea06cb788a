"""At least 20,000 requests from random seeds: `make fuzz`. No part of `make test`, which always sends the same."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bookings.tests.fuzzing.workflow import Workflow

if TYPE_CHECKING:
    import pytest

    from bookings.tests.fuzzing.caller import Caller

REQUESTS = 20_000
ROUND = 500


def test_api_answers_as_described_for_minutes(caller: Caller, capsys: pytest.CaptureFixture[str]) -> None:
    workflow = Workflow(caller)
    while caller.answers.total() < REQUESTS:
        # Every fourth round the vendors are out of order.
        if caller.answers.total() // ROUND % 4 == 3:
            caller.let_vendors_fail()
        caller.run(requests=ROUND)
        workflow.run(chains=ROUND // 10)
        caller.sandbox.clear_faults()
        with capsys.disabled():
            sys.stdout.write(f"{caller.answers.total()} requests, {len(caller.findings)} broken promises\n")

    tally = [f"{count:6} {label} {status}\n" for (label, status), count in sorted(caller.answers.items())]
    with capsys.disabled():
        sys.stdout.writelines(tally)
        sys.stdout.write(f"Links that led somewhere: {', '.join(sorted(workflow.trodden))}\n")
    assert caller.findings == {}
