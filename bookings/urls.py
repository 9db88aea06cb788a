"""The routes of bookings."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from bookings.staff_views import StaffBookingViewSet
from bookings.views import AvailabilityViewSet, BookingViewSet, CalendarWebhookViewSet

router = SimpleRouter(trailing_slash=False)
router.register("availability", AvailabilityViewSet, basename="availability")
router.register("bookings", BookingViewSet, basename="booking")
router.register("staff/bookings", StaffBookingViewSet, basename="staff-bookings")

urlpatterns = [
    *router.urls,
    path("webhooks/calcom", CalendarWebhookViewSet.as_view({"post": "create"}), name="webhook-calcom"),
]
