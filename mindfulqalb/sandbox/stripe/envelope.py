"""How Stripe answers: bearer keys, error shape, lists, expansion, idempotency."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer, VendorError
from mindfulqalb.sandbox.calls import Handle, Vendor, View, vendor_call
from mindfulqalb.sandbox.clock import unix_now
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.webhooks import alphanumeric

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

SESSION = "stripe.session"
INTENT = "stripe.payment_intent"
CHARGE = "stripe.charge"
REFUND = "stripe.refund"
EVENT = "stripe.event"
KEY = "stripe.idempotency_key"

API_VERSION = "2026-10-28.endive"
KEY_LIFETIME_SECONDS = 24 * 3600
LONGEST_KEY = 255
SERVER_FAULT = 500
EXPANDABLE = {"pi_": INTENT, "ch_": CHARGE, "re_": REFUND, "cs_": SESSION}
SENTENCES = {
    409: "This object cannot be accessed right now because another API request or Stripe process is accessing it.",
    429: "Too many requests in a short time. Please retry with exponential backoff.",
}
CODES = {409: "lock_timeout", 429: "rate_limit"}


@dataclass
class StripeError(VendorError):
    """A refusal in Stripe's error shape."""

    message: str
    status: int = 400
    param: str = ""
    code: str = ""
    type: str = "invalid_request_error"

    def answer(self, request: HttpRequest) -> Answer:
        """Return the refusal."""
        error = {"message": self.message, "type": self.type}
        if self.param:
            error["param"] = self.param
        if self.code:
            error |= {
                "code": self.code,
                "doc_url": f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}",
            }
        return Answer(self.status, {"error": error})


def _authenticate(request: HttpRequest, call: str) -> None:
    # The hosted page and its control calls act for the customer, who has no key.
    if call == "sessions.pay":
        return
    key = _given_key(request)
    if not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not hmac.compare_digest(key.encode(), configuration().stripe_secret_key.encode()):
        raise StripeError(f"Invalid API Key provided: {key[:8]}{'*' * 12}{key[-4:]}", status=401)


def _given_key(request: HttpRequest) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Bearer":
        return given.strip()
    try:
        return base64.b64decode(given).decode().partition(":")[0] if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _failure(status: int, message: str) -> StripeError:
    kind = "api_error" if status >= SERVER_FAULT else "invalid_request_error"
    sentence = message or SENTENCES.get(status) or "An unknown error occurred"
    return StripeError(sentence, status=status, code=CODES.get(status, ""), type=kind)


def _decorate(request: HttpRequest, answer: Answer) -> Answer:
    answer.headers["Request-Id"] = f"req_{alphanumeric(14)}"
    answer.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    if "Idempotency-Key" in request.headers and request.method == "POST":
        answer.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
    return answer


STRIPE = Vendor(
    name="stripe",
    authenticate=_authenticate,
    failure=_failure,
    bare_failure=lambda: Answer(500, "Internal Server Error"),
    decorate=_decorate,
)


def stripe_post(call: str) -> Callable[[Handle], View]:
    """Make a POST call: like `vendor_call`, and the same Idempotency-Key replays its first answer."""

    def decorate(handle: Handle) -> View:
        @vendor_call(STRIPE, call)
        @functools.wraps(handle)
        def view(request: HttpRequest, **path: str) -> Answer:
            return _once(request, functools.partial(handle, request, **path))

        return view

    return decorate


def _once(request: HttpRequest, handle: functools.partial[Answer]) -> Answer:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return handle()
    if len(key) > LONGEST_KEY:
        raise StripeError(f"Idempotency keys can be at most {LONGEST_KEY} characters.", type="idempotency_error")
    parameters = hashlib.sha256(request.body).hexdigest()
    earlier = store().get(KEY, key)
    if earlier and earlier["created"] > unix_now() - KEY_LIFETIME_SECONDS:
        return _replay(key, earlier, request.path.removeprefix("/stripe"), parameters)
    answer = handle()
    kept = {
        "path": request.path.removeprefix("/stripe"),
        "parameters": parameters,
        "created": unix_now(),
        "status": answer.status,
        "body": answer.body,
    }
    store().put(KEY, key, kept)
    return answer


def _replay(key: str, earlier: Record, path: str, parameters: str) -> Answer:
    advice = f"Try using a key other than '{key}' if you meant to execute a different request."
    if earlier["path"] != path:
        sentence = "Keys for idempotent requests can only be used for the same endpoint they were first used for "
        raise StripeError(f"{sentence}('{earlier['path']}' vs '{path}'). {advice}", type="idempotency_error")
    if earlier["parameters"] != parameters:
        sentence = "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        raise StripeError(sentence + advice, type="idempotency_error")
    return Answer(earlier["status"], earlier["body"], {"Idempotent-Replayed": "true"})


def new_id(prefix: str) -> str:
    """Return an id: the prefix and 24 letters and digits."""
    return f"{prefix}_{alphanumeric(24)}"


def list_of(url: str, items: list[dict[str, Any]], *, has_more: bool = False) -> Answer:
    """Return a list object."""
    return Answer(200, {"object": "list", "url": url, "has_more": has_more, "data": items})


def page(params: dict[str, Any], records: list[Record]) -> tuple[list[Record], bool]:
    """Return what `limit`, `starting_after` and `created` choose, newest first, and whether there is more."""
    found = [record for record in records[::-1] if _created_in(record, params.get("created"))]
    after = params.get("starting_after")
    if after:
        ids = [record["id"] for record in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    limit = params.get("limit", 10)
    return found[:limit], len(found) > limit


def _created_in(record: Record, bounds: dict[str, int] | None) -> bool:
    comparisons = {
        "gte": lambda limit: record["created"] >= limit,
        "gt": lambda limit: record["created"] > limit,
        "lte": lambda limit: record["created"] <= limit,
        "lt": lambda limit: record["created"] < limit,
    }
    return all(comparisons[name](limit) for name, limit in (bounds or {}).items())


def expanded(shown: dict[str, Any], paths: list[str]) -> dict[str, Any]:
    """Return the object with the ids at these paths replaced by the objects. Raises StripeError."""
    for path in paths:
        shown = _expand(shown, path.removeprefix("data."), path)
    return shown


def _expand(shown: dict[str, Any], path: str, whole: str) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    if name not in shown:
        raise StripeError(f"This property cannot be expanded ({whole}).", param="expand")
    value = shown[name]
    kind = EXPANDABLE.get(value[:3]) if isinstance(value, str) else None
    if kind:
        value = store().get(kind, value)
    if rest and isinstance(value, dict):
        value = _expand(value, rest, whole)
    return {**shown, name: value}


def missing(kind: str, found_id: str, param: str) -> StripeError:
    """Return the 404 of an unknown id."""
    return StripeError(f"No such {kind}: '{found_id}'", status=404, param=param, code="resource_missing")


@vendor_call(STRIPE, "not_found")
def not_found(request: HttpRequest, **_path: str) -> Answer:
    """Answer a path or method that Stripe does not have."""
    url = f"{request.method}: {request.path.removeprefix('/stripe')}"
    raise StripeError(f"Unrecognized request URL ({url}). Please see https://stripe.com/docs.", status=404)
