"""Addresses that exist in tests only: one that reads JSON, and some that fail in every way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.core import exceptions as django_exceptions
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions as drf_exceptions
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from mindfulqalb.api import errors
from mindfulqalb.api.fields import ClockTime, EmailAddress, PersonName, PhoneNumber, PlainText, SessionDate
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from rest_framework.request import Request

FAILURES: dict[str, Exception] = {
    "refusal": errors.Refusal(),
    "parse": drf_exceptions.ParseError(),
    "not-authenticated": drf_exceptions.NotAuthenticated(),
    "authentication-failed": drf_exceptions.AuthenticationFailed(),
    "drf-permission": drf_exceptions.PermissionDenied(),
    "drf-not-found": drf_exceptions.NotFound(),
    "throttled": drf_exceptions.Throttled(wait=7.2),
    "throttled-without-wait": drf_exceptions.Throttled(),
    "http404": Http404("jane@example.com"),
    "permission": django_exceptions.PermissionDenied("jane@example.com"),
    "too-big": django_exceptions.RequestDataTooBig("jane@example.com"),
    "suspicious": django_exceptions.SuspiciousOperation("jane@example.com"),
    "bad-request": django_exceptions.BadRequest("jane@example.com"),
    "model-validation": django_exceptions.ValidationError("jane@example.com"),
    "vendor": ProviderError("Cal.com is away", permanent=False),
    "database": OperationalError("no connection to jane@example.com"),
    "bug": ZeroDivisionError("jane@example.com"),
}


class CustomerSerializer(serializers.Serializer[dict[str, Any]]):
    """Nested, as in the contract."""

    name = PersonName()
    email = EmailAddress()
    phone = PhoneNumber()


class EchoSerializer(serializers.Serializer[dict[str, Any]]):
    """A bit of every shape."""

    customer = CustomerSerializer(required=False)
    sessionType = serializers.ChoiceField(["individual", "couples"], required=False)
    date = SessionDate(required=False)
    time = ClockTime(required=False)
    notes = PlainText(max_length=100, required=False)
    razorpay_order_id = PlainText(max_length=10, required=False)
    acknowledgments = serializers.ListField(child=PlainText(max_length=10), required=False)


class EchoView(APIView):
    """Send back what was understood."""

    @extend_schema(request=EchoSerializer, responses=EchoSerializer)
    def post(self, request: Request) -> Response:
        """Validate and repeat."""
        serializer = EchoSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


class FailingView(APIView):
    """Fail inside of DRF."""

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str) -> NoReturn:
        """Fail as asked."""
        raise FAILURES[name]


def fail(request: HttpRequest, name: str) -> NoReturn:
    """Fail outside of DRF."""
    raise FAILURES[name]


@csrf_exempt
def measure(request: HttpRequest) -> JsonResponse:
    """Tell how much arrived."""
    return JsonResponse({"length": len(request.body)})


@csrf_protect
def form(request: HttpRequest) -> JsonResponse:
    """Want a CSRF token."""
    return JsonResponse({})


urlpatterns = [
    path("api/echo", EchoView.as_view()),
    path("api/failing/<name>", FailingView.as_view()),
    path("api/failing-outside/<name>", fail),
    path("page/failing/<name>", fail),
    path("api/measure", measure),
    path("api/webhooks/measure", measure),
    path("page/measure", measure),
    path("api/form", form),
    path("page/form", form),
    path("", include("mindfulqalb.api.urls")),
    path("", include("mindfulqalb.observability.urls")),
]
handler400 = errors.handler400
handler403 = errors.handler403
handler404 = errors.handler404
handler500 = errors.handler500
