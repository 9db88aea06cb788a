"""The API's description (OpenAPI 3), with the one error shape on every call, and its pages, served from here alone."""

from __future__ import annotations

from typing import Any

HTTP_METHODS = {"get", "post", "put", "patch", "delete"}

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Every refusal has this shape.",
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "error": {"type": "string", "description": "A sentence for a person."},
        "code": {"type": "string", "description": "For programs."},
        "fields": {
            "type": "object",
            "description": "Per field, dotted as in customer.email, what is wrong with it; often empty.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "requestId": {"type": "string", "description": "Also in the header X-Request-ID; quote it to us."},
    },
    "required": ["success", "error", "code", "fields", "requestId"],
    "example": {
        "success": False,
        "error": "Customer email: Please enter an email address like name@example.com.",
        "code": "invalid_input",
        "fields": {"customer.email": ["Please enter an email address like name@example.com."]},
        "requestId": "0f8fad5bd9cb469fa16570867728950e",
    },
}

ALWAYS = {
    "400": "Something in the request is not right.",
    "404": "There is nothing at this address.",
    "429": "Too many requests; see Retry-After.",
    "500": "Our fault.",
    "503": "Not at the moment; see Retry-After.",
}
WITH_BODY = {"408": "The body came too slowly.", "413": "The body is too large.", "415": "The body is not JSON."}
# What a view names itself, as `extend_schema(extensions={"x-refusals": ["409"]})`.
NAMED = {
    "401": "No valid token.",
    "402": "This has to be paid first.",
    "403": "Not allowed; `code` says why.",
    "409": "Not as things stand; `code` says why.",
}
WITH_TOKEN = {"401": "No valid token.", "403": "Not allowed."}
# The token of a signed link: it opens what it names, so that there is nothing else to forbid.
CLIENT_LINK = "clientLink"
WITH_LINK = {"401": "No valid token."}
SECURITY_SCHEMES = {
    CLIENT_LINK: {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The token from a client's mail, or from the answer to their hold.",
    }
}
RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


def describe_errors(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add the error shape to every operation, as one of SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"].

    What a view describes itself stays.
    """
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    for path in result["paths"].values():
        for method, operation in path.items():
            if method in HTTP_METHODS:
                _add_refusals(operation)
    return result


def _add_refusals(operation: dict[str, Any]) -> None:
    bodied = WITH_BODY if "requestBody" in operation else {}
    guarded = _refusals_of_guards({name for either in operation.get("security", ()) for name in either})
    named = {status: NAMED[status] for status in operation.pop("x-refusals", ())}
    responses = operation.setdefault("responses", {})
    for status, description in (ALWAYS | bodied | guarded | named).items():
        responses.setdefault(status, _refusal(status, description))
    operation["responses"] = dict(sorted(responses.items()))


def _refusals_of_guards(schemes: set[str]) -> dict[str, str]:
    if not schemes:
        return {}
    return WITH_LINK if schemes == {CLIENT_LINK} else WITH_TOKEN


def _refusal(status: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    headers = {"headers": RETRY_AFTER} if status in {"429", "503"} else {}
    return {"description": description, "content": content, **headers}
