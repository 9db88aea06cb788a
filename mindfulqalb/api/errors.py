"""Every "no" said to a caller, in one shape: `{"success": false, "error", "code", "fields", "requestId"}`."""

from __future__ import annotations

import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core import exceptions as django_exceptions
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils.translation import gettext as _
from django.views import csrf, defaults
from rest_framework import exceptions as drf_exceptions
from rest_framework.response import Response

from mindfulqalb.api.field_errors import flatten_errors, sentence_about
from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)


class Refusal(Exception):
    """A "no" that a caller can understand: subclass it per case, with `code`, `status` and `sentence`.

    `fields` maps field names, spelt as the caller sent them and dotted (`customer.email`), to sentences.
    `retry_after` is for 429 and 503.
    """

    code: str = "refused"
    status: int = 400
    sentence: str = "This request was refused."
    usual_wait: timedelta | None = None

    def __init__(
        self,
        sentence: str | None = None,
        *,
        fields: Mapping[str, Sequence[str]] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        """Keep what this case says beyond its class."""
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}
        self.detail = sentence or self.own_words()
        self.retry_after = self.usual_wait if retry_after is None else retry_after
        super().__init__(self.detail)

    def own_words(self) -> str:
        """Find the sentence when whoever raised this gave none."""
        return self.sentence

    @property
    def body(self) -> dict[str, Any]:
        """The answer's JSON, in the language of whoever asks."""
        return {
            "success": False,
            "error": _(self.detail),
            "code": self.code,
            "fields": {name: [_(message) for message in messages] for name, messages in self.fields.items()},
            "requestId": current_request_id(),
        }

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers; Retry-After in whole seconds, at least one."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after.total_seconds())))
        return headers


class InvalidInput(Refusal):
    """What was sent has the wrong shape; given fields and no sentence, it says which ones."""

    code = "invalid_input"
    sentence = "Something in this request is not right."

    def own_words(self) -> str:
        """Name the fields."""
        return sentence_about(self.fields) if self.fields else self.sentence


class MalformedJson(Refusal):
    """The body cannot be read at all."""

    code = "malformed_json"
    sentence = "The request body is not valid JSON."


class UnknownHost(Refusal):
    """The request names a host that is not ours."""

    code = "unknown_host"
    sentence = "This site is not served under that name."


class Unauthorized(Refusal):
    """Nobody has said who asks, or not convincingly."""

    code = "unauthorized"
    status = 401
    sentence = "Please sign in, or use the link from your email."

    @property
    def headers(self) -> dict[str, str]:
        """HTTP wants a 401 to name the scheme."""
        return {**super().headers, "WWW-Authenticate": "Bearer"}


class Forbidden(Refusal):
    """We know who asks, and the answer is no."""

    code = "forbidden"
    status = 403
    sentence = "You are not allowed to do this."


class CsrfFailed(Forbidden):
    """A form without its token."""

    code = "csrf_failed"
    sentence = "This page has been open too long. Please reload it and try again."


class NotFound(Refusal):
    """Nothing is there, or nothing that the caller may know of."""

    code = "not_found"
    status = 404
    sentence = "There is nothing at this address."


class MethodNotAllowed(Refusal):
    """The address exists; the verb does not."""

    code = "method_not_allowed"
    status = 405
    sentence = "This address does not understand that method."


class NotAcceptable(Refusal):
    """The caller wants anything but JSON."""

    code = "not_acceptable"
    status = 406
    sentence = "The answer is JSON, which the Accept header does not allow."


class BodyTooSlow(Refusal):
    """The request's end did not come in time."""

    code = "body_too_slow"
    status = 408
    sentence = "The request broke off before all of it had arrived."


class PayloadTooLarge(Refusal):
    """More was sent than any honest request holds."""

    code = "payload_too_large"
    status = 413
    sentence = "This request is too large."


class UnsupportedMediaType(Refusal):
    """The body is not said to be JSON."""

    code = "unsupported_media_type"
    status = 415
    sentence = "Please send JSON, with the header Content-Type: application/json."


class TooManyRequests(Refusal):
    """Too much in too little time."""

    code = "too_many_requests"
    status = 429
    sentence = "That was a lot of requests in a short time. Please wait a moment and try again."


class ServerError(Refusal):
    """Our fault; says nothing about it."""

    code = "server_error"
    status = 500
    sentence = "Something went wrong on our side. Please try again, or write to us with the request id."


class Unavailable(Refusal):
    """Something that we need does not answer; asking again later helps. Always carries Retry-After."""

    code = "unavailable"
    status = 503
    sentence = "This does not work at the moment. Please try again shortly."
    usual_wait = timedelta(seconds=30)


# First match wins, so that a subclass comes before its base.
_BY_EXCEPTION: tuple[tuple[type[Exception], type[Refusal]], ...] = (
    (drf_exceptions.ParseError, MalformedJson),
    (drf_exceptions.NotAuthenticated, Unauthorized),
    (drf_exceptions.AuthenticationFailed, Unauthorized),
    (drf_exceptions.PermissionDenied, Forbidden),
    (drf_exceptions.NotFound, NotFound),
    (drf_exceptions.MethodNotAllowed, MethodNotAllowed),
    (drf_exceptions.NotAcceptable, NotAcceptable),
    (drf_exceptions.UnsupportedMediaType, UnsupportedMediaType),
    (Http404, NotFound),
    (django_exceptions.PermissionDenied, Forbidden),
    (django_exceptions.RequestDataTooBig, PayloadTooLarge),
    (django_exceptions.TooManyFieldsSent, PayloadTooLarge),
    (django_exceptions.TooManyFilesSent, PayloadTooLarge),
    (django_exceptions.DisallowedHost, UnknownHost),
    (django_exceptions.SuspiciousOperation, InvalidInput),
    (django_exceptions.BadRequest, InvalidInput),
    # `filter(id="garbage")` raises this.
    (django_exceptions.ValidationError, InvalidInput),
    (OperationalError, Unavailable),
)


def as_refusal(exc: Exception) -> Refusal | None:
    """Say which "no" an exception stands for; None when it is a fault of ours that nobody foresaw."""
    match exc:
        case Refusal():
            return exc
        case drf_exceptions.ValidationError():
            return _invalid_input(exc.detail)
        case drf_exceptions.Throttled():
            return TooManyRequests(retry_after=timedelta(seconds=getattr(exc, "wait", None) or 1))
        case ProviderError():
            return Unavailable(retry_after=exc.retry_after)
        case UnreadablePostError():
            return InvalidInput(_("The request broke off before all of it had arrived."))
    return next((refusal() for known, refusal in _BY_EXCEPTION if isinstance(exc, known)), None)


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for an exception in a DRF view, as REST_FRAMEWORK["EXCEPTION_HANDLER"].

    An unforeseen one gets None: DRF lets it through, Django logs it once, with its traceback, tells the error tracker
    and answers by `handler500`; a test client shows it.
    """
    refusal = as_refusal(exc)
    if refusal is None:
        return None
    if refusal.status >= ServerError.status and refusal is not exc:
        logger.error("Answered %d in place of an exception", refusal.status, exc_info=exc)
    return Response(refusal.body, status=refusal.status, headers=refusal.headers)


def json_answer(refusal: Refusal) -> JsonResponse:
    """Answer outside of DRF: in middleware and in Django's error handlers."""
    return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django refused: JSON under /api/, else a page."""
    return (
        json_answer(as_refusal(exception) or InvalidInput())
        if _is_api(request)
        else defaults.bad_request(request, exception)
    )


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a forbidden request: JSON under /api/, else a page."""
    return json_answer(Forbidden()) if _is_api(request) else defaults.permission_denied(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an unknown address: JSON under /api/, else `404.html`."""
    return json_answer(NotFound()) if _is_api(request) else defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer for what nobody foresaw: JSON under /api/, else `500.html`."""
    return json_answer(ServerError()) if _is_api(request) else defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer for a form without its token, as CSRF_FAILURE_VIEW: JSON under /api/, else Django's page."""
    return json_answer(CsrfFailed()) if _is_api(request) else csrf.csrf_failure(request, reason)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _invalid_input(detail: object) -> InvalidInput:
    fields, general = flatten_errors(detail)
    return InvalidInput(" ".join(general) or None, fields=fields)
