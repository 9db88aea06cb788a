"""How Razorpay answers: basic authentication, error shape, collections, ids."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer, VendorError, json_body
from mindfulqalb.sandbox.calls import Vendor, vendor_call
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.webhooks import alphanumeric

if TYPE_CHECKING:
    from django.http import HttpRequest

    from mindfulqalb.sandbox.store import Record

ORDER = "razorpay.order"
PAYMENT = "razorpay.payment"
REFUND = "razorpay.refund"
REFUND_KEY = "razorpay.refund_key"

CODES = {502: "GATEWAY_ERROR", 504: "GATEWAY_ERROR"}
SENTENCES = {
    429: "Request failed because of too many requests",
    502: "Your payment was not successful as the bank could not be reached. Please try again later.",
    500: "We are facing some trouble completing your request at the moment. Please try again shortly.",
}
SERVER_FAULT = 500
SMALLEST_AMOUNT = 100
MOST_NOTES, LONGEST_NOTE = 15, 256
LARGEST_PAGE = 100
UNKNOWN_ID = "The id provided does not exist"


@dataclass
class RazorpayError(VendorError):
    """A refusal in Razorpay's error shape; `field` names what was wrong."""

    description: str
    status: int = 400
    field: str = ""
    reason: str = "input_validation_failed"

    def answer(self, request: HttpRequest) -> Answer:
        """Return the refusal."""
        code = CODES.get(self.status) or ("SERVER_ERROR" if self.status >= SERVER_FAULT else "BAD_REQUEST_ERROR")
        error: dict[str, Any] = {
            "code": code,
            "description": self.description,
            "source": "business",
            "step": "payment_initiation",
            "reason": self.reason,
            "metadata": {},
        }
        if self.field:
            error["field"] = self.field
        return Answer(self.status, {"error": error})


def _authenticate(request: HttpRequest, call: str) -> None:
    # The checkout and its control calls act for the customer, who has no secret.
    if call == "payments.pay":
        return
    wanted = f"{configuration().razorpay_key_id}:{configuration().razorpay_key_secret}"
    if not hmac.compare_digest(_credentials(request).encode(), wanted.encode()):
        raise RazorpayError("Authentication failed", status=401, reason="NA")


def _credentials(request: HttpRequest) -> str:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        return base64.b64decode(encoded).decode() if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _failure(status: int, message: str) -> RazorpayError:
    default = SENTENCES.get(status) or (SENTENCES[500] if status >= SERVER_FAULT else "The request was refused")
    return RazorpayError(message or default, status=status, reason="NA")


RAZORPAY = Vendor(
    name="razorpay",
    authenticate=_authenticate,
    failure=_failure,
    bare_failure=lambda: Answer(500, {"message": "Internal Server Error"}),
)


def new_id(prefix: str) -> str:
    """Return an id: the prefix and 14 letters and digits, capitals mattering."""
    return f"{prefix}_{alphanumeric(14)}"


def read_body(request: HttpRequest) -> dict[str, Any]:
    """Return the JSON object in the body. Raises RazorpayError 400."""
    try:
        return json_body(request)
    except ValueError as error:
        raise RazorpayError("The request body is not valid JSON") from error


def collection(items: list[dict[str, Any]]) -> Answer:
    """Return a list in Razorpay's form."""
    return Answer(200, {"entity": "collection", "count": len(items), "items": items})


def page(request: HttpRequest, records: list[Record]) -> list[Record]:
    """Return what `count` (10 unless told) and `skip` choose, newest first."""
    count, skip = (_whole(request, name, default) for name, default in (("count", 10), ("skip", 0)))
    newest_first = records[::-1]
    return newest_first[skip : skip + min(count, LARGEST_PAGE)]


def _whole(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not text.isdigit():
        raise RazorpayError(f"The {name} must be an integer.", field=name)
    return int(text)


def checked_amount(value: Any, currency: str, field: str = "amount") -> int:
    """Return an amount in minor units. Raises RazorpayError."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise RazorpayError(f"The {field} must be an integer.", field=field)
    if value < SMALLEST_AMOUNT:
        raise RazorpayError(f"The {field} must be atleast {currency} 1.00", field=field)
    return value


def checked_notes(value: Any) -> Any:
    """Return notes as they are shown: an object, or an empty list when there are none. Raises RazorpayError."""
    if value in (None, [], {}):
        return []
    if not isinstance(value, dict):
        raise RazorpayError("The notes must be an array.", field="notes")
    if len(value) > MOST_NOTES:
        raise RazorpayError("Number of fields in notes should be less than or equal to 15", field="notes")
    if any(len(str(item)) > LONGEST_NOTE for item in value.values()):
        raise RazorpayError("notes value cannot be greater than 256 characters.", field="notes")
    return value


@vendor_call(RAZORPAY, "not_found")
def not_found(request: HttpRequest, **_path: str) -> Answer:
    """Answer a path or method that Razorpay does not have."""
    raise RazorpayError("The requested URL was not found on the server.", reason="NA")
