"""The pages that clients see: booking, and their own session by signed link. Looking never changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bookings.calendar_file import calendar_file
from bookings.calendars import calendar
from bookings.credits import WITHOUT_SESSION, credit_of, refund_under_way
from bookings.links import booking_of_token, calendar_file_url
from bookings.receipts import receipts_of
from bookings.refusals import NotCancellable
from bookings.services.cancellation import cancel_by_client, quote_cancellation
from bookings.services.rescheduling import move_of, move_terms, why_not_movable
from bookings.states import BookingState
from consent.links import consent_url
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.catalogue.models import FORMAT_NAMES, SessionFormat
from mindfulqalb.languages.choice import speak
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import Booking

CHECKOUT_SOURCES: dict[str, Any] = {
    "script-src": settings.RAZORPAY_CSP_SOURCES,
    "frame-src": settings.RAZORPAY_CSP_SOURCES,
    "connect-src": settings.RAZORPAY_CSP_SOURCES,
    # Where no dialog can open, the script leaves for Razorpay's own page by a form.
    "form-action": settings.RAZORPAY_CSP_SOURCES,
}


@require_safe
@csp_update(CHECKOUT_SOURCES)
def booking_page(request: HttpRequest) -> HttpResponse:
    """The booking page; all it does goes through the API."""
    context = {
        "razorpay_script": settings.RAZORPAY_CHECKOUT_SCRIPT_URL,
        "booking_horizon_days": settings.BOOKING_HORIZON_DAYS,
    }
    response = render(request, "booking/page.html", context)
    # A bank's window, opened by the checkout dialog, must be able to report back.
    response["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    return response


@require_safe
@never_cache
def manage_page(request: HttpRequest, token: str) -> HttpResponse:
    """A client's own session."""
    now = timezone.now()
    try:
        booking = booking_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    under_way = move_of(booking)
    speak(request, booking.locale)
    context = {
        "booking": _shown(booking, now) | {"moving_to": under_way.starts_at if under_way else None},
        "cancellation": _cancellation(booking, token, now),
        "credit": credit_of(booking),
        "refund_url": reverse("refund-credit", args=[token]),
        "reschedule": None if under_way else _reschedule(booking, token, now),
        "not_movable": None if under_way else why_not_movable(booking, now=now),
        "refund": refund_under_way(booking) if booking.state in WITHOUT_SESSION else None,
        "receipts": receipts_of(booking),
        "token": token,
    }
    return render(request, "manage/page.html", context)


# The address itself is the secret, and no cookie stands behind it that somebody else's page could borrow.
@csrf_exempt
@require_POST
@never_cache
def cancel_session(request: HttpRequest, token: str) -> HttpResponse:
    """Cancel by the button on the client's page; looking at the page, as mail scanners do, changes nothing."""
    now = timezone.now()
    try:
        cancel_by_client(booking_id=booking_of_token(token, now=now).id, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    except NotCancellable:
        pass  # the page says in which state it is
    return HttpResponseRedirect(reverse("manage-page", args=[token]), status=303)


@require_safe
@never_cache
def session_file(request: HttpRequest, token: str) -> HttpResponse:
    """The session as .ics."""
    now = timezone.now()
    try:
        booking = booking_of_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    return HttpResponse(
        calendar_file(booking, now=now),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="session.ics"'},
    )


def _cancellation(booking: Booking, token: str, now: datetime) -> dict[str, str] | None:
    if not booking.is_settled or booking.starts_at <= now:
        return None
    return {"url": reverse("cancel-session", args=[token]), "refund_text": _refund_text(booking, now)}


def _reschedule(booking: Booking, token: str, now: datetime) -> dict[str, Any] | None:
    terms = move_terms(booking, now=now)
    return {"url": reverse("move-page", args=[token]), "terms": terms} if terms else None


def _refund_text(booking: Booking, now: datetime) -> str:
    quote = quote_cancellation(booking, now=now)
    if quote.refund is None:
        return _("Nothing was paid, so nothing has to go back.")
    if not quote.refund.amount_minor and quote.percent:
        return _("If you cancel now, no more goes back than what has gone back already.")
    return _("If you cancel now, you get %(amount)s back (%(percent)s %% of what you paid).") % {
        "amount": quote.refund.text,
        "percent": quote.percent,
    }


def _state_shown(booking: Booking, now: datetime) -> str:
    """Call a hold that has run out by its name, whether or not it was swept up: nobody keeps that time."""
    ends = booking.hold_expires_at
    is_over = booking.state == BookingState.HELD and ends is not None and ends <= now
    return BookingState.EXPIRED if is_over else booking.state


def _shown(booking: Booking, now: datetime) -> dict[str, Any]:
    uid = booking.calcom_booking_id
    return {
        "state": _state_shown(booking, now).lower(),
        "state_text": booking.get_state_display(),
        "session_title": booking.offer.title,
        "format_name": FORMAT_NAMES[SessionFormat(booking.session_format)],
        "therapist_name": booking.therapist.name,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "time_zone": practice_zone(),
        "confirmation_url": calendar().page_url(uid) if uid else None,
        "calendar_file_url": calendar_file_url(booking, now=now),
        "customer_first_name": booking.customer_first_name,
        "consent_url": consent_url(booking.consent, now=now) if booking.consent and booking.is_settled else None,
    }
