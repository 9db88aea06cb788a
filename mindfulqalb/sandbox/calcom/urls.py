"""Cal.com's paths."""

from __future__ import annotations

from django.urls import path, re_path

from mindfulqalb.sandbox.calcom import changes, event_types, pages, reading, reservations, slots
from mindfulqalb.sandbox.calcom.envelope import not_found
from mindfulqalb.sandbox.calls import by_method

urlpatterns = [
    path("v2/slots", by_method(GET=slots.list_slots, otherwise=not_found)),
    path("v2/slots/reservations", reservations.reservations),
    path("v2/slots/reservations/<uid>", reservations.one_reservation),
    path("v2/bookings", reading.bookings),
    path("v2/bookings/<uid>", reading.one_booking),
    path("v2/bookings/<uid>/cancel", by_method(POST=changes.cancel_booking, otherwise=not_found)),
    path("v2/bookings/<uid>/reschedule", by_method(POST=changes.reschedule_booking, otherwise=not_found)),
    path("v2/bookings/<uid>/confirm", by_method(POST=changes.confirm_booking, otherwise=not_found)),
    path("v2/bookings/<uid>/decline", by_method(POST=changes.decline_booking, otherwise=not_found)),
    path("v2/bookings/<uid>/mark-absent", by_method(POST=changes.mark_absent, otherwise=not_found)),
    path("v2/event-types/<number>", by_method(GET=event_types.get_event_type, otherwise=not_found)),
    path("v2/me", by_method(GET=event_types.get_me, otherwise=not_found)),
    path("booking/<uid>", pages.booking_page),
    path("reschedule/<uid>", pages.booking_page),
    path("video/<uid>", pages.video_page),
    re_path(r"^(?P<rest>.*)$", not_found),
]
