"""How the control API reads and answers: JSON for programs, forms and a way back for the pages."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.answers import VendorError, json_body
from mindfulqalb.sandbox.faults import InvalidFaultError
from mindfulqalb.sandbox.store import store
from mindfulqalb.sandbox.switches import UnknownSwitchError

Handle = Callable[..., Any]
OK = 200


class UnknownThingError(LookupError):
    """The control API was asked about something that is not there."""


class SeeOther(HttpResponseRedirect):
    """A redirect after a form: the next page is fetched with GET."""

    status_code = 303


def control_view(**handles: Handle) -> Callable[..., HttpResponse]:
    """Make one handler per method into a view: each gets the request and its data, and returns what JSON can say."""

    @csrf_exempt
    def view(request: HttpRequest, **path: str) -> HttpResponse:
        handle = handles.get(request.method or "")
        if handle is None:
            return JsonResponse({"error": f"{request.method} is not allowed here", "fields": {}}, status=405)
        status, answer = _outcome(functools.partial(handle, request, **path), request)
        if _is_form(request):
            return _way_back(request, "" if status == OK else str(answer["error"]))
        return JsonResponse(answer, status=status, safe=False, json_dumps_params={"ensure_ascii": False})

    return view


def _outcome(handle: Callable[..., Any], request: HttpRequest) -> tuple[int, Any]:
    try:
        with store().transaction():
            answer = handle(_data(request))
    except VendorError as error:
        told = error.answer(request).body
        return 400, {"error": _sentence(told), "fields": {}, "vendor": told}
    except InvalidFaultError as error:
        return 400, {"error": str(error), "fields": error.fields}
    except (UnknownSwitchError, ValueError) as error:
        return 400, {"error": str(error), "fields": {}}
    except UnknownThingError as error:
        return 404, {"error": str(error), "fields": {}}
    webhooks.deliver_first()
    return OK, answer


def _sentence(told: Any) -> str:
    error = told.get("error", told)
    return str(error.get("message") or error.get("description"))


def _is_form(request: HttpRequest) -> bool:
    return request.method == "POST" and bool(request.POST)


def _data(request: HttpRequest) -> dict[str, Any]:
    if not _is_form(request):
        return json_body(request) if request.method in {"POST", "PUT", "PATCH"} else {}
    fields = {name: value for name, value in request.POST.items() if name != "next"}
    data = json.loads(str(fields.pop("json", "{}")))
    pairs = [pair.partition("=") for pair in str(fields.pop("parameters", "")).split()]
    fields |= {name: value for name, _, value in pairs}
    return {**data, **{name: _typed(str(value)) for name, value in fields.items() if value != ""}}


def _typed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _way_back(request: HttpRequest, problem: str) -> HttpResponse:
    # Only our own pages: never an address that the form was given.
    page = str(request.POST.get("next", "/"))
    page = page if page.startswith("/") and not page.startswith("//") else "/"
    return SeeOther(f"{page}?{urlencode({'problem': problem})}" if problem else page)
