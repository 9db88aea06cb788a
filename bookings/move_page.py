"""The page on which a client chooses another time. It needs no script: days are links, times are radio buttons."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

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
from bookings.services.moving import reschedule_session
from bookings.services.rescheduling import could_move_again_from, move_of, move_terms
from mindfulqalb.api.errors import Refusal
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.catalogue.terms import EVERYTHING, cancellation_rules, refund_steps, terms_text
from mindfulqalb.practice_clock import practice_zone
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import Booking
    from mindfulqalb.catalogue.models import CancellationRule

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
        **(days := days_to_choose(times, request.GET.get("day", ""))),
        "groups": _by_warnings(booking, days["times"], now),
    }
    return render(request, "manage/move.html", context, status=status)


def _by_warnings(booking: Booking, times: list[datetime], now: datetime) -> list[dict[str, Any]]:
    """Group a day's times by what a client should know before moving there."""
    rules = cancellation_rules() if booking.payment is not None else None
    grouped = groupby(times, lambda time: _warnings(booking, rules, time, now))
    return [{"warnings": warnings, "times": list(found)} for warnings, found in grouped]


def _warnings(
    booking: Booking, rules: list[CancellationRule] | None, starts_at: datetime, now: datetime
) -> tuple[str, ...]:
    warnings = []
    if rules is not None:
        steps = refund_steps(rules, starts_at=starts_at, now=now)
        if not steps or steps[0].percent < EVERYTHING:
            warnings.append(terms_text(steps, starts_at=starts_at, zone=practice_zone()))
    terms = move_terms(booking, now=now)
    if terms and terms.moves_left > 1 and not could_move_again_from(booking, starts_at=starts_at, now=now):
        warnings.append(_("You could not move it again."))
    return tuple(warnings)


def _silence() -> str:
    return _("We cannot reach the calendar just now. Nothing has changed; please try again in a few minutes.")
