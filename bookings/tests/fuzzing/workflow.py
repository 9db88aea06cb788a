"""Sends chains of calls along the links of our description, as Schemathesis draws them, and checks every answer."""

from __future__ import annotations

import re
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.generation import GenerationMode

from bookings.tests.fuzzing.caller import ONCE

if TYPE_CHECKING:
    from schemathesis.generation.stateful.state_machine import StepInput

    from bookings.tests.fuzzing.caller import Caller

CALLS_OF_A_CHAIN = 8
# As in "POST /api/bookings/hold -> [201] book -> POST /api/bookings".
LINK = re.compile(r" -> \[\d+\] (\w+) -> ")


class Workflow:
    """Chains of a caller's requests; `trodden` holds the names of the links along which a call has succeeded."""

    def __init__(self, caller: Caller, *, without: str = "nothing") -> None:
        """Take the caller's knowledge along, and follow the links that are described, none that are guessed."""
        self._caller = caller
        self.trodden: set[str] = set()
        self._random = Random(0)
        self._schema = caller.schema.exclude(path_regex=without)
        self._schema.config.phases.stateful.inference.algorithms = []
        self._schema.config.generation.modes = [GenerationMode.POSITIVE]

    def run(self, *, chains: int) -> None:
        """Draw and send so many chains; fewer when Hypothesis sees that the same call is answered differently now."""
        with suppress(FlakyStrategyDefinition):
            self._machine().run(settings=settings(ONCE, max_examples=chains, stateful_step_count=CALLS_OF_A_CHAIN))

    def _machine(self) -> Any:
        workflow = self
        base: Any = self._schema.as_state_machine()

        class Chain(base):  # type: ignore[misc]
            def step(self, input: StepInput) -> Any:  # noqa: A002  (so Schemathesis calls it)
                linked = {name for _, name in input.applied_parameters}
                workflow._caller.prepare(input.case, linked=linked, random=workflow._random)
                output = super().step(input)
                if input.transition and output.response.status_code < 300:
                    workflow.trodden |= {*LINK.findall(input.transition.id)}
                return output

            def call(self, case: Any, **_: Any) -> Any:
                return workflow._caller.send(case)

            def validate_response(self, *_: Any, **__: Any) -> None:
                """Nothing more: the caller has checked it."""

        return Chain
