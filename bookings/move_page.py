"""The page on which a client chooses another time. It needs no script: days are links, times are radio buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bookings.availability import free_times
from bookings.choosing import days_to_choose, instant_in
from bookings.links import booking_of_token
from bookings.practice_time import practice_zone
from bookings.services.moving import reschedule_session
from bookings.services.rescheduling import move_of, move_terms
from mindfulqalb.api.errors import Refusal
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import Booking

BAD_REQUEST, UNAVAILABLE = 400, 503


# The address itself is the secret, and no cookie stands behind it that somebody else's page could borrow.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def move_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show free times; move by the button alone, for mail scanners follow links."""
    now = timezone.now()
    try:
        booking = booking_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    if request.method == "POST":
        return _move(request, booking, token, now)
    return _choose(request, booking, token, now)


def _move(request: HttpRequest, booking: Booking, token: str, now: datetime) -> HttpResponse:
    starts_at = instant_in(request.POST.get("start", ""))
    if starts_at is None:
        return _choose(request, booking, token, now, problem=_("Please choose a time."), status=BAD_REQUEST)
    try:
        reschedule_session(
            booking_id=booking.id, starts_at=starts_at, deadline=settings.CALENDAR_REQUEST_DEADLINE, now=now
        )
    except Refusal as refusal:
        return _choose(request, booking, token, now, problem=refusal.detail, status=refusal.status)
    except ProviderError:
        return _choose(request, booking, token, now, problem=_silence(), status=UNAVAILABLE)
    return HttpResponseRedirect(reverse("manage-page", args=[token]), status=303)


def _choose(
    request: HttpRequest, booking: Booking, token: str, now: datetime, *, problem: str = "", status: int = 200
) -> HttpResponse:
    terms = move_terms(booking, now=now)
    home = reverse("manage-page", args=[token])
    if terms is None or move_of(booking) is not None:
        return HttpResponseRedirect(home, status=303)  # that page says how it stands
    try:
        times = free_times(offer=booking.offer, now=now)
    except ProviderError:
        times, problem, status = [], problem or _silence(), UNAVAILABLE
    context = {
        "booking": booking,
        "terms": terms,
        "problem": problem,
        "home": home,
        "time_zone": practice_zone(),
        **days_to_choose(times, request.GET.get("day", "")),
    }
    return render(request, "manage/move.html", context, status=status)


def _silence() -> str:
    return _("We cannot reach the calendar just now. Nothing has changed; please try again in a few minutes.")
