"""`/api/staff/bookings`: what is booked, for programs of the practice; who the clients are stays masked."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from bookings.models import Booking
from bookings.practice_time import day_bounds
from bookings.staff_serializers import (
    StaffBookingPageSerializer,
    StaffBookingQuerySerializer,
    StaffBookingSerializer,
    staff_booking,
)
from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.api.public_ids import BOOKING, UnknownId
from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.staff.authentication import HasStaffPermission, StaffTokenAuthentication
from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from typing import Any

    from rest_framework.request import Request

    from bookings.models import BookingQuerySet

PAGE = 50


class StaffBookingViewSet(ViewSet):
    """Sessions as the admin's list shows them: a therapist's own, or everybody's where the role reaches beyond that."""

    authentication_classes = (StaffTokenAuthentication,)
    permission_classes = (HasStaffPermission,)
    required_permission = "bookings.view_booking"
    lookup_value_regex = "booking_[^/]+"
    throttle_classes = (AddressThrottle,)
    throttle_scope = "staff"

    @extend_schema(
        parameters=[StaffBookingQuerySerializer], responses=forced_singular_serializer(StaffBookingPageSerializer)
    )
    def list(self, request: Request) -> Response:
        """List fifty sessions by their time, oldest first; `next` names the place where the following page begins."""
        asked = StaffBookingQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = list(_wanted(request, asked.validated_data)[: PAGE + 1])
        following = place_of(rows[PAGE - 1]) if len(rows) > PAGE else None
        return _answer({"bookings": [staff_booking(row) for row in rows[:PAGE]], "next": following})

    @extend_schema(responses=StaffBookingSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Show one session."""
        row = _visible(request).filter(id=BOOKING.decode(pk)).first()
        if row is None:
            raise UnknownId
        return _answer(staff_booking(row))


def place_of(booking: Booking) -> str:
    """Name the place behind a session in the list, for programs to hand back as it is."""
    return base64.urlsafe_b64encode(f"{booking.starts_at.isoformat()} {booking.id}".encode()).decode()


def _behind(place: str) -> tuple[datetime, UUID]:
    """Read a place. Raises InvalidInput."""
    try:
        moment, _, row_id = base64.urlsafe_b64decode(place.encode()).decode().partition(" ")
        return datetime.fromisoformat(moment).astimezone(UTC), UUID(row_id)
    except (binascii.Error, ValueError, OverflowError):
        raise InvalidInput(fields={"after": ["Take it from `next` of the page before."]}) from None


def _visible(request: Request) -> BookingQuerySet:
    if not isinstance(request.user, StaffMember):
        raise PermissionDenied
    return Booking.objects.visible_to(request.user).filter(held_for=None).select_related("therapist")


def _wanted(request: Request, asked: dict[str, Any]) -> BookingQuerySet:
    rows = _visible(request).order_by("starts_at", "id")
    if asked["since"]:
        rows = rows.filter(starts_at__gte=day_bounds(asked["since"])[0])
    if asked["until"]:
        rows = rows.filter(starts_at__lt=day_bounds(asked["until"])[1])
    if asked["state"]:
        rows = rows.filter(state=asked["state"].upper())
    if asked["after"]:
        moment, row_id = _behind(asked["after"])
        rows = rows.filter(Q(starts_at__gt=moment) | Q(starts_at=moment, id__gt=row_id), starts_at__gte=moment)
    return rows


def _answer(body: dict[str, Any]) -> Response:
    return Response(body, headers={"Cache-Control": "no-store"})
