"""Sends what Schemathesis makes of our own description, seasoned with what a caller knows, and checks every answer."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from random import Random
from typing import TYPE_CHECKING, Any

import requests
import schemathesis
from django.core.signals import got_request_exception
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bookings.tests.fuzzing.knowledge import Knowledge
from mindfulqalb.wsgi import application

if TYPE_CHECKING:
    from schemathesis.checks import CheckFunction

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

PROMISES: list[CheckFunction] = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Nothing is shrunk or replayed: what a caller knows changes with every answer, and all findings are told at the end.
ONCE = profile(phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck))
MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
# How much of what is made up gives way to what a caller knows; all of it is what an ordinary client would send.
SHARES = [0, 0.3, 0.9, 1, 1, 1]
LINKED, REPEATED = 0.8, 0.1
# How many calls along links carry more than an ordinary client would send.
INVENTIVE = 0.3


class Caller:
    """Counts its requests, and keeps one example of each broken promise."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        """Read the description as every client gets it."""
        self.schema = schemathesis.openapi.from_wsgi("/api/schema", application)
        self.operations = [found.ok() for found in self.schema.get_all_operations() if isinstance(found, Ok)]
        self.knowledge = Knowledge()
        self.sandbox = sandbox
        self.answers: Counter[tuple[str, int]] = Counter()
        self.findings: dict[str, str] = {}

    def run(self, *, requests: int, derandomize: bool = False) -> None:
        """Send a round of requests."""

        @profile(ONCE, max_examples=requests, derandomize=derandomize)
        @given(st.data())
        def one_request(data: st.DataObject) -> None:
            operation = data.draw(st.sampled_from(self.operations))
            case = data.draw(operation.as_strategy(generation_mode=data.draw(st.sampled_from(MODES))))
            self._season(case, Random(data.draw(st.integers(0, 2**32))))
            self.send(case)

        one_request()

    def let_vendors_fail(self) -> None:
        """Have Cal.com and both gateways answer every call with a bare 500 until the faults are cleared."""
        for vendor in ("calcom", "razorpay", "stripe"):
            self.sandbox.fault(vendor, "bare_500", times=None)

    def prepare(self, case: Any, *, linked: set[str | None], random: Random) -> None:
        """Fill in a call along a link as an ordinary client would; what the link gave stays."""
        if isinstance(case.body, dict):
            invented = case.body if random.random() < INVENTIVE else {}
            own = self._seasoned(self._template(case) | invented, 1, random)
            case.body = own | {name: case.body[name] for name in linked if name in case.body}
            case.body |= self.knowledge.dialog_of(case.body)
        case.query = self._seasoned(dict(case.query), 1, random)
        if token := dict(self.knowledge.links).get(case.path_parameters.get("id")):
            case.headers["Authorization"] = f"Bearer {token}"

    def _season(self, case: Any, random: Random) -> None:
        share = random.choice(SHARES)
        if isinstance(case.body, dict):
            case.body = self._seasoned(self._template(case) | case.body if share == 1 else case.body, share, random)
        case.query = self._seasoned(dict(case.query), share, random)
        case.path_parameters = self._seasoned(dict(case.path_parameters), share, random)
        if random.random() < LINKED:
            self._open(case, random)
        if random.random() < REPEATED:
            case.headers["Idempotency-Key"] = f"key-{random.randrange(20)}"

    def _template(self, case: Any) -> dict[str, None]:
        """Name the fields of a body that a caller has a value for."""
        content = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
        described = self.schema.raw_schema["components"]["schemas"][content["$ref"].rpartition("/")[2]]
        return {name: None for name in described["properties"] if name == "customer" or self.knowledge.has(name)}

    def _seasoned(self, values: dict[str, Any], share: float, random: Random) -> dict[str, Any]:
        seasoned = dict(values)
        for name, value in values.items():
            if name == "customer" and (value is None or isinstance(value, dict)):
                seasoned[name] = self._seasoned(value or dict.fromkeys(("name", "email", "phone")), share, random)
            elif self.knowledge.has(name) and random.random() < share:
                seasoned[name] = self.knowledge.one(name, random)
        return seasoned

    def _open(self, case: Any, random: Random) -> None:
        """Show a token that opens what the request is about, where one is known, else any."""
        token = self.knowledge.one("token", random) if self.knowledge.has("token") else ""
        if "/consent" in case.path:
            token = random.choice(self.knowledge.consent_tokens)
        elif "id" in case.path_parameters and self.knowledge.links:
            case.path_parameters["id"], token = random.choice(self.knowledge.links)
        case.headers["Authorization"] = f"Bearer {token}"

    def send(self, case: Any) -> Any:
        """Send one request, check and learn from the answer, and return it."""
        crashes: list[str] = []

        def note(**_: Any) -> None:
            crashes.append(traceback.format_exc(limit=-4))

        got_request_exception.connect(note)
        try:
            response = case.call()
        finally:
            got_request_exception.disconnect(note)
        label, status = case.operation.label, response.status_code
        self.answers[label, status] += 1
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
            self.findings.setdefault(f"{label} {status}", f"{case.as_curl_command()}\n{''.join(crashes)}")
        self._check(case, response)
        self._learn(case, response)
        return response

    def _check(self, case: Any, response: Any) -> None:
        try:
            case.validate_response(response, checks=PROMISES)
        except FailureGroup as broken:
            for failure in broken.exceptions:
                promise = f"{case.operation.label} {response.status_code} {type(failure).__name__}"
                self.findings.setdefault(promise, f"{failure}\n{case.as_curl_command()}")

    def _learn(self, case: Any, response: Any) -> None:
        if response.headers["content-type"] != ["application/json"]:
            return
        answer = json.loads(response.content)
        self.knowledge.learn(answer)
        self.knowledge.learn_order(case.body, answer)
        order = self.knowledge.take_order()
        if order:
            with suppress(requests.HTTPError):  # paid already, or the gateway is failing
                self.knowledge.learn(self.sandbox.pay_razorpay(order))
