"""Move a session from the admin: a page that offers the free times, as the client's own does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from bookings.availability import free_times
from bookings.choosing import days_to_choose, instant_in
from bookings.practice_time import local
from bookings.services.moving import reschedule_session
from bookings.services.rescheduling import may_be_moved, move_of
from mindfulqalb.api.errors import Refusal
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from bookings.models import Booking

SILENT = "The calendar cannot be reached just now. Nothing has changed; please try again in a few minutes."
CHOOSE = "Please choose a time."


class MovePage(admin.ModelAdmin[Any]):
    """Adds the page, for those whose role lets them move a session."""

    def has_move_permission(self, request: HttpRequest) -> bool:
        """Whether this person may move other people's sessions."""
        return request.user.has_perm("bookings.move_booking")

    def get_urls(self) -> list[URLPattern]:
        """Add its address."""
        page = path("<uuid:pk>/move/", self.admin_site.admin_view(self.move), name="bookings_booking_move")
        return [page, *super().get_urls()]

    @admin.display(description="another time")
    def another_time(self, booking: Booking) -> str:
        """Lead to the page as long as it can be moved."""
        if not may_be_moved(booking, actor="staff", now=timezone.now()):
            return "Only a session that is confirmed and still to come can be moved."
        hold = move_of(booking)
        if hold is not None:
            return f"It is being moved to {_said(hold.starts_at)}; the calendar has not answered yet."
        return format_html('<a href="{}">Move it…</a>', _address(booking, "move"))

    def move(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Offer the free times, move to the one that is chosen, and say so."""
        if not self.has_move_permission(request):
            raise PermissionDenied
        booking = self.get_object(request, str(pk))
        if booking is None:
            raise Http404
        if request.method == "POST":
            return self._move(request, booking)
        return self._offer(request, booking)

    def _move(self, request: HttpRequest, booking: Booking) -> HttpResponse:
        starts_at = instant_in(request.POST.get("start", ""))
        if starts_at is None:
            return self._offer(request, booking, problem=CHOOSE)
        try:
            moved = reschedule_session(
                booking_id=booking.id,
                starts_at=starts_at,
                deadline=settings.CALENDAR_REQUEST_DEADLINE,
                now=timezone.now(),
                actor=f"staff:{request.user.pk}",
            )
        except Refusal as refusal:
            return self._offer(request, booking, problem=str(refusal.detail))
        except ProviderError:
            return self._offer(request, booking, problem=SILENT)
        if moved.starts_at == starts_at:
            self.message_user(request, f"It now takes place on {_said(starts_at)}; the client gets a mail.", "SUCCESS")
        else:
            waits = f"The calendar has not answered yet: it moves to {_said(starts_at)} as soon as it does."
            self.message_user(request, waits, "WARNING")
        return HttpResponseRedirect(_address(booking, "change"))

    def _offer(self, request: HttpRequest, booking: Booking, *, problem: str = "") -> HttpResponse:
        now = timezone.now()
        if not may_be_moved(booking, actor="staff", now=now) or move_of(booking) is not None:
            self.message_user(request, problem or self.another_time(booking), "WARNING")
            return HttpResponseRedirect(_address(booking, "change"))
        try:
            times = free_times(offer=booking.offer, now=now)
        except ProviderError:
            times, problem = [], SILENT
        context = {
            **self.admin_site.each_context(request),
            "title": "Move to another time",
            "opts": self.opts,
            "booking": booking,
            "stands": _said(booking.starts_at),
            "problem": problem,
            "back": _address(booking, "change"),
            **days_to_choose(times, request.GET.get("day", "")),
        }
        return TemplateResponse(request, "admin/bookings/booking/move.html", context)


def _said(instant: datetime) -> str:
    return f"{local(instant):%A %d %B %Y, %H:%M}"


def _address(booking: Booking, page: str) -> str:
    return reverse(f"admin:bookings_booking_{page}", args=[booking.pk])
