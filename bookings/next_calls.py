"""What a client calls next, and with what of the last call: the links of the API's description.

https://spec.openapis.org/oas/v3.0.3#link-object. They stand here because bookings alone know the whole way. What no
answer holds, the payment dialog's signature and the token of a link, a client has from the gateway and from the mail.
"""

from __future__ import annotations

from typing import Any

THE_BOOKING = {"id": "$response.body#/bookingId"}
SAME_SESSION = {name: f"$request.body#/{name}" for name in ("sessionType", "format", "date", "time", "customer")}
FIRST_SLOT = {
    "sessionType": "$request.body#/sessionType",
    "date": "$response.body#/slots/0/date",
    "time": "$response.body#/slots/0/time",
}
THE_TOKEN = {"refreshToken": "$response.body#/refreshToken"}


def _opens(operation: str, parameters: dict[str, str]) -> dict[str, Any]:
    return {"operationId": operation, "parameters": parameters}


def _sends(operation: str, body: dict[str, str]) -> dict[str, Any]:
    return {"operationId": operation, "requestBody": body}


MANAGE = {
    "look": _opens("bookings_retrieve", THE_BOOKING),
    "cancel": _opens("bookings_cancel_create", THE_BOOKING),
    "move": _opens("bookings_reschedule_create", THE_BOOKING),
    "takeBack": _opens("bookings_refund_create", THE_BOOKING),
}
RENEW = {"renew": _sends("auth_refresh_create", THE_TOKEN), "leave": _sends("auth_revoke_create", THE_TOKEN)}
# By operation and status.
LINKS: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    ("availability_create", "200"): {"hold": _sends("bookings_hold_create", FIRST_SLOT)},
    ("consent_create", "201"): {
        "hold": _sends(
            "bookings_hold_create",
            {"consentId": "$response.body#/consentId", "sessionType": "$request.body#/sessionType"},
        )
    },
    ("bookings_hold_create", "201"): {
        **MANAGE,
        "prove": _sends("payments_verify_create", {"razorpay_order_id": "$response.body#/payment/orderId"}),
        "book": _sends("bookings_create", SAME_SESSION),
    },
    ("payments_create_order_create", "200"): {
        "prove": _sends("payments_verify_create", {"razorpay_order_id": "$response.body#/orderId"})
    },
    ("payments_verify_create", "200"): {
        "book": _sends("bookings_create", {"paymentId": "$response.body#/paymentId"}),
    },
    ("bookings_create", "201"): MANAGE,
    ("bookings_create", "202"): MANAGE,
    ("bookings_retrieve", "200"): {
        "receipt": _opens("bookings_receipts_retrieve", {**THE_BOOKING, "number": "$response.body#/receipts/0/number"})
    },
    ("auth_token_create", "200"): RENEW,
    ("auth_refresh_create", "200"): RENEW,
}


def describe_links(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add the links, as one of SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"]."""
    for path in result["paths"].values():
        for operation in path.values():
            for status, response in operation.get("responses", {}).items():
                if found := LINKS.get((operation["operationId"], status)):
                    response["links"] = found
    return result
