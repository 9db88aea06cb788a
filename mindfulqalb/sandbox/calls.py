"""One vendor call from its arrival to its answer: faults, authentication, one transaction, the log."""

from __future__ import annotations

import functools
import json
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from mindfulqalb.sandbox import faults, webhooks
from mindfulqalb.sandbox.answers import Answer, VendorError
from mindfulqalb.sandbox.clock import iso, now
from mindfulqalb.sandbox.store import Record, store

Handle = Callable[..., Answer]
View = Callable[..., HttpResponse]

STRUCK = "sandbox.faults"
SOCKET = "sandbox.socket"
CALLS_KEPT = 500
BODY_KEPT = 4000
HTML_502 = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n"  # noqa: E501

stopping = threading.Event()


@dataclass(frozen=True)
class Vendor:
    """What differs between the stand-ins on the way to an answer."""

    name: str
    authenticate: Callable[[HttpRequest, str], None]
    failure: Callable[[int, str], VendorError]
    bare_failure: Callable[[], Answer]
    decorate: Callable[[HttpRequest, Answer], Answer] = lambda _request, answer: answer
    slot_taken: Callable[[str], VendorError] | None = None


def vendor_call(vendor: Vendor, call: str) -> Callable[[Handle], View]:
    """Make a function that returns an Answer into a view that behaves as the vendor's server does."""
    if call not in faults.CALLS[vendor.name]:
        raise ValueError(f"{vendor.name}.{call} is missing in faults.CALLS")

    def decorate(handle: Handle) -> View:
        @csrf_exempt
        @functools.wraps(handle)
        def view(request: HttpRequest, **path: str) -> HttpResponse:
            return serve(request, vendor, call, functools.partial(handle, request, **path))

        return view

    return decorate


def by_method(**views: View) -> View:
    """Choose the view by the request's method; other methods are 404, as with all three vendors."""

    @csrf_exempt
    def view(request: HttpRequest, **path: str) -> HttpResponse:
        chosen = views.get(request.method or "") or views["otherwise"]
        return chosen(request, **path)

    return view


def struck(request: HttpRequest) -> list[Record]:
    """Return the faults that struck this request."""
    found: list[Record] = request.META.get(STRUCK, [])
    return found


def serve(request: HttpRequest, vendor: Vendor, call: str, handle: Callable[[], Answer]) -> HttpResponse:
    """Answer one call, with whatever trouble is switched on for it."""
    log = _log_arrival(request, vendor.name, call)
    request.META[STRUCK] = found = faults.claim(vendor.name, call)
    answer = _before(request, vendor, found)
    if answer is None:
        answer = perform(request, vendor, call, handle)
        answer = _after(request, answer, found)
    answer = vendor.decorate(request, answer)
    _log_answer(log, answer, found)
    return answer.respond(request)


def perform(request: HttpRequest, vendor: Vendor, call: str, handle: Callable[[], Answer]) -> Answer:
    """Do the work in one transaction; webhooks that a fault sends first leave before this returns."""
    try:
        with store().transaction():
            vendor.authenticate(request, call)
            answer = handle()
    except VendorError as error:
        answer = error.answer(request)
    webhooks.deliver_first()
    return answer


def _before(request: HttpRequest, vendor: Vendor, found: list[Record]) -> Answer | None:
    for fault in found:
        kind = fault["kind"]
        if kind == "delay" and not fault["done"]:
            _wait(request, fault["seconds"])
        elif kind == "hang" and not fault["done"]:
            _wait(request, fault["seconds"])
            return Answer(504, disconnect=True)
        elif (answer := _refusal(request, vendor, fault)) is not None:
            return answer
    return None


def _refusal(request: HttpRequest, vendor: Vendor, fault: Record) -> Answer | None:
    match fault["kind"]:
        case "refuse":
            return Answer(499, disconnect=True)
        case "html_502":
            return Answer(502, HTML_502)
        case "bare_500":
            return vendor.bare_failure()
        case _:
            error = _vendor_refusal(vendor, fault)
            return error.answer(request) if error else None


def _vendor_refusal(vendor: Vendor, fault: Record) -> VendorError | None:
    match fault["kind"]:
        case "status":
            return vendor.failure(int(fault["status"]), fault["message"])
        case "rate_limited":
            return vendor.failure(429, "")
        case "slot_taken" if vendor.slot_taken:
            return vendor.slot_taken(fault["form"])
        case _:
            return None


def _after(request: HttpRequest, answer: Answer, found: list[Record]) -> Answer:
    for fault in found:
        kind = fault["kind"]
        if kind in {"delay", "hang"} and fault["done"]:
            _wait(request, fault["seconds"])
        if kind == "drop" or (kind == "hang" and fault["done"]):
            return Answer(answer.status, disconnect=True)
    return answer


def _wait(request: HttpRequest, seconds: float) -> None:
    """Wait, but not for a caller who has gone away, nor when the sandbox ends."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stopping.is_set() and not _caller_gone(request):
        stopping.wait(min(0.1, max(0.0, end - time.monotonic())))


def _caller_gone(request: HttpRequest) -> bool:
    connection: socket.socket | None = request.META.get(SOCKET)
    if connection is None:
        return False
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def _log_arrival(request: HttpRequest, vendor: str, call: str) -> Record:
    with store().transaction():
        number = store().count("call")
        store().count(f"calls:{vendor}.{call}")
        entry = {
            "id": number,
            "at": iso(now()),
            "vendor": vendor,
            "call": call,
            "method": request.method,
            "path": request.get_full_path(),
            "body": request.body[:BODY_KEPT].decode("utf-8", "replace"),
            "status": None,
            "faults": [],
        }
        store().put("call", str(number), entry)
        store().prune("call", CALLS_KEPT)
    return entry


def _log_answer(entry: Record, answer: Answer, found: list[Record]) -> None:
    entry["status"] = None if answer.disconnect else answer.status
    entry["faults"] = [fault["kind"] for fault in found]
    # A reset while the call was under way has emptied the log; do not bring this entry back.
    with store().transaction():
        if store().get("call", str(entry["id"])):
            store().put("call", str(entry["id"]), entry)


def readable_body(entry: Record) -> Any:
    """Return a logged body as JSON when it is JSON, else as it came."""
    try:
        return json.loads(entry["body"])
    except ValueError:
        return entry["body"]
