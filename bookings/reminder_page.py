"""The page on which clients stop reminders, and take them up again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bookings.links import booking_of_reminders_token
from bookings.reminders import has_stopped
from bookings.services.reminding import resume_reminders, stop_reminders
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.languages.choice import speak

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


# The address itself is the secret. A mail program's one-click post (RFC 8058) knows no cookie and no form.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def reminder_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show whether there are reminders; only a post changes it, as mail scanners look at every link."""
    now = timezone.now()
    try:
        booking = booking_of_reminders_token(token, now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    speak(request, booking.locale)
    if request.method == "POST":
        act = resume_reminders if request.POST.get("reminders") == "resume" else stop_reminders
        act(booking=booking, now=now)
    # No redirect after a post: mail programs do not follow it.
    return render(request, "reminders/page.html", {"are_wanted": not has_stopped(booking)})
