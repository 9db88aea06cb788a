"""`/api/availability`, `/api/bookings...` and Cal.com's webhook."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from bookings.availability import availability_of
from bookings.credits import credit_of
from bookings.links import booking_of_token, token_of
from bookings.practice_time import instant_of
from bookings.receipts import receipt_of, receipts_of
from bookings.refusals import SlotTaken
from bookings.serializers import (
    AvailabilityRequestSerializer,
    AvailabilitySerializer,
    BookingAnswerSerializer,
    BookingRequestSerializer,
    BookingStatusSerializer,
    HoldRequestSerializer,
    HoldSerializer,
    NewTimeSerializer,
    availability_answer,
    booking_answer,
    booking_status,
)
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, quote_cancellation
from bookings.services.holds import Hold, hold_slot
from bookings.services.moving import reschedule_session
from bookings.services.placement import place_while_waited_for
from bookings.services.rescheduling import move_of, move_terms
from bookings.services.unplaced import refund_credit
from bookings.states import BookingState
from bookings.webhooks import receive_calendar_webhook
from bookings.wishes import Customer, Wish
from consent.circumstances import circumstances_of
from mindfulqalb.api.errors import Unauthorized
from mindfulqalb.api.negotiation import WhateverIsAccepted
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.api.schema import CLIENT_LINK
from mindfulqalb.api.throttles import AddressThrottle, EmailThrottle
from mindfulqalb.api.tokens import InvalidToken, bearer_token
from mindfulqalb.catalogue.showing import offer_on_show
from mindfulqalb.idempotency.views import IDEMPOTENCY_KEY, idempotent
from mindfulqalb.languages.choice import spoken_language
from mindfulqalb.practice_clock import practice_zone
from payments.gateways import gateway_named
from payments.receipts.rendering import pdf_response
from payments.return_urls import own_return_url, success_url_of
from payments.services import Checkout

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpResponse
    from rest_framework.request import Request

    from bookings.models import Booking
    from payments.models import Payment


# How calls may be refused beyond what all may be.
PAID_FOR = {"x-refusals": ["402", "409"]}
CHANGED = {"x-refusals": ["409"]}
# For so long after paying a browser that repeats its call, without naming the consent, gets the links again.
PAYER_IS_STILL_HERE = timedelta(minutes=30)


class AvailabilityViewSet(ViewSet):
    """Which times can be booked."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "availability"

    @extend_schema(
        parameters=[AvailabilityRequestSerializer],
        responses=forced_singular_serializer(AvailabilitySerializer),
    )
    def list(self, request: Request) -> Response:
        """List a day's slots, a month's free days, or both; asked by query string."""
        return self._answer(request.query_params)

    @extend_schema(request=AvailabilityRequestSerializer, responses={200: AvailabilitySerializer})
    def create(self, request: Request) -> Response:
        """List a day's slots, a month's free days, or both; asked by body."""
        return self._answer(request.data)

    def _answer(self, given: Any) -> Response:
        asked = AvailabilityRequestSerializer(data=given)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        found = availability_of(
            offer=offer_on_show(session_type=data["sessionType"], session_format=data["format"]),
            day=data["date"],
            month=data["month"],
            zone=data["timeZone"] or practice_zone(),
            now=timezone.now(),
        )
        return Response(availability_answer(data, found, practice_zone()))


class BookingViewSet(ViewSet):
    """Hold, book, look."""

    throttle_classes = (AddressThrottle, EmailThrottle)
    throttle_scope = "booking"
    lookup_value_regex = "booking_[^/]+"

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=BookingRequestSerializer,
        responses={201: BookingAnswerSerializer, 202: BookingAnswerSerializer},
        extensions=PAID_FOR,
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Book a paid or free session: 201 when it stands in the calendar, 202 when the calendar takes longer.

        Who asks for a free call without `consentId` or a hold's token as `Authorization: Bearer`, for an email
        that has one open gets 202 and nothing is booked: when it is, is for the owner of the mailbox alone, who hears.
        """
        asked = BookingRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        now = timezone.now()
        wish = _wish(request, data)
        booking = book_session(wish=wish, payment_id=data["paymentId"], now=now)
        if booking.starts_at != wish.starts_at:
            return _look_into_your_mail(booking)
        is_proven = _is_proven(booking, wish, data["paymentId"], now)
        if booking.state == BookingState.PENDING:
            booking = place_while_waited_for(booking_id=booking.id, deadline=settings.CALENDAR_REQUEST_DEADLINE)
        return _booked(booking, timezone.now(), is_proven=is_proven)

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=HoldRequestSerializer,
        responses={201: HoldSerializer},
        extensions=PAID_FOR,
    )
    @action(detail=False, methods=["post"])
    @idempotent
    def hold(self, request: Request) -> Response:
        """Keep a slot while the client pays."""
        asked = HoldRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data, now = asked.validated_data, timezone.now()
        hold = hold_slot(wish=_wish(request, data), pay_with=data["payWith"], checkout=_checkout(data), now=now)
        return Response(_hold_answer(hold, now), status=status.HTTP_201_CREATED)

    @extend_schema(responses=BookingStatusSerializer, auth=[CLIENT_LINK])
    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a booking to the holder of its signed link."""
        return _shown(_opened(request, pk))

    @extend_schema(request=None, responses=BookingStatusSerializer, auth=[CLIENT_LINK], extensions=CHANGED)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel by the signed link; the policy decides what goes back, and the status told it before."""
        return _shown(cancel_by_client(booking_id=_opened(request, pk).id, now=timezone.now()))

    @extend_schema(request=None, responses=BookingStatusSerializer, auth=[CLIENT_LINK], extensions=CHANGED)
    @action(detail=True, methods=["post"])
    def refund(self, request: Request, pk: str) -> Response:
        """Have back what has no session: after a cancellation by the practice, or for a slot that was gone."""
        booking = _opened(request, pk)
        refund_credit(booking=booking, now=timezone.now())
        return _shown(booking)

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY}, auth=[CLIENT_LINK])
    @action(detail=True, url_path="receipts/(?P<number>[A-Z0-9-]+)", content_negotiation_class=WhateverIsAccepted)
    def receipt(self, request: Request, pk: str, number: str) -> HttpResponse:
        """Hand out a receipt or refund note of the booking as PDF."""
        return pdf_response(receipt_of(_opened(request, pk), number=number))

    @extend_schema(
        request=NewTimeSerializer,
        responses={200: BookingStatusSerializer, 202: BookingStatusSerializer},
        auth=[CLIENT_LINK],
        extensions=CHANGED,
    )
    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, pk: str) -> Response:
        """Move by the signed link: 200 when it stands at the new time, 202 when the calendar takes longer.

        The old time is kept until the calendar has accepted the new one; refused, nothing has changed.
        """
        booking = _opened(request, pk)
        asked = NewTimeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        moved = reschedule_session(
            booking_id=booking.id,
            starts_at=instant_of(asked.validated_data["date"], asked.validated_data["time"]),
            deadline=settings.CALENDAR_REQUEST_DEADLINE,
            now=timezone.now(),
        )
        answer = _shown(moved)
        answer.status_code = status.HTTP_202_ACCEPTED if answer.data["movingTo"] else status.HTTP_200_OK
        return answer


class CalendarWebhookViewSet(ViewSet):
    """Deliveries of Cal.com: checked on the raw body, stored once, answered; the work happens later."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "webhook"
    parser_classes = ()

    @extend_schema(exclude=True)
    def create(self, request: Request) -> Response:
        """Store one delivery."""
        raw = request._request  # noqa: SLF001  the signature is over the bytes, and DRF would parse them
        receive_calendar_webhook(body=raw.body, headers=raw.headers, now=timezone.now())
        return Response({"received": True})


def _opened(request: Request, public_id: str) -> Booking:
    """Find the booking that the caller's token opens; it must be the one in the address."""
    booking = booking_of_token(bearer_token(request), now=timezone.now())
    if booking.id != BOOKING.decode(public_id):
        raise InvalidToken
    return booking


def _shown(booking: Booking) -> Response:
    now = timezone.now()
    under_way = move_of(booking)
    answer = booking_status(
        booking,
        quote=quote_cancellation(booking, now=now) if booking.is_settled else None,
        credit=credit_of(booking),
        receipts=receipts_of(booking),
        terms=None if under_way else move_terms(booking, now=now),
        moving_to=under_way.starts_at if under_way else None,
        time_zone=settings.PRACTICE_TIME_ZONE,
        now=now,
    )
    return Response(answer)


def _wish(request: Request, data: dict[str, Any]) -> Wish:
    customer = data["customer"]
    return Wish(
        session_type=data["sessionType"],
        session_format=data["format"],
        day=data["date"],
        clock=data["time"],
        customer=Customer(name=customer["name"], email=customer["email"], phone=customer["phone"] or None),
        consent_id=data["consentId"],
        consent_accepted=data["consentAccepted"],
        circumstances=circumstances_of(request, locale=spoken_language(data["locale"])),
        age_band=data["ageBand"],
        time_zone=data["timeZone"].key if data["timeZone"] else "",
        opened=_opened_along(request),
    )


def _opened_along(request: Request) -> UUID | None:
    """Say which booking's token came along, if any: a stale one must not break a booking."""
    try:
        return booking_of_token(bearer_token(request), now=timezone.now()).id
    except Unauthorized:
        return None


def _checkout(data: dict[str, Any]) -> Checkout:
    home = settings.SITE_URL
    return Checkout(
        payer_email=data["customer"]["email"],
        success_url=success_url_of(data["successUrl"] or f"{home}/?paid=stripe"),
        cancel_url=own_return_url(data["cancelUrl"] or f"{home}/?cancelled=stripe", field="cancelUrl"),
    )


def _is_proven(booking: Booking, wish: Wish, payment_id: str | None, now: datetime) -> bool:
    """Whether this caller may have the links: whoever made it just now, was given its consent's id, or has just paid.

    An email is no proof: a stranger who knows it hears that there is a booking, and gets no way into it. Nor is the
    payment's id for long: it stands on the receipt, which goes to employers and insurers.
    """
    if booking.created_at == now or wish.proves(booking):
        return True
    paid_at = booking.payment.captured_at if payment_id and booking.payment else None
    return paid_at is not None and now - paid_at < PAYER_IS_STILL_HERE


def _look_into_your_mail(booking: Booking) -> Response:
    answer = {"success": True, "bookingId": BOOKING.encode(booking.id), "confirmationUrl": None}
    return Response(answer | {"status": "pending", "manageUrl": None}, status=status.HTTP_202_ACCEPTED)


def _booked(booking: Booking, now: datetime, *, is_proven: bool) -> Response:
    if booking.state == BookingState.REJECTED:
        raise SlotTaken(fields={"time": ["This time is taken."]})
    settled = booking.state != BookingState.PENDING
    answer = booking_answer(booking, now=now)
    return Response(
        answer if is_proven else answer | {"confirmationUrl": None, "manageUrl": None},
        status=status.HTTP_201_CREATED if settled else status.HTTP_202_ACCEPTED,
    )


def _hold_answer(hold: Hold, now: datetime) -> dict[str, Any]:
    return {
        "success": True,
        "bookingId": BOOKING.encode(hold.booking.id),
        "expiresAt": hold.booking.hold_expires_at,
        "token": token_of(hold.booking, now=now),
        "payment": _order_to_pay(hold.payment) if hold.payment else None,
    }


def _order_to_pay(payment: Payment) -> dict[str, Any]:
    if payment.checkout_url:
        return {
            "payWith": payment.gateway,
            "sessionId": payment.provider_order_id,
            "url": payment.checkout_url,
        }
    return {
        "payWith": payment.gateway,
        "orderId": payment.provider_order_id,
        "amount": payment.amount_minor,
        "currency": payment.currency,
        "keyId": gateway_named(payment.gateway).public_key,
    }
