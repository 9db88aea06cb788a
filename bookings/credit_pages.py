"""Money back by the button on the client's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from bookings.links import booking_of_token
from bookings.services.unplaced import refund_credit
from mindfulqalb.api.tokens import InvalidToken
from payments.refunds import NothingToRefund

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


# The address itself is the secret, and no cookie stands behind it that somebody else's page could borrow.
@csrf_exempt
@require_POST
@never_cache
def refund_credit_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Send back what has no session; looking at the page, as mail scanners do, changes nothing."""
    now = timezone.now()
    try:
        refund_credit(booking=booking_of_token(token, now=now), now=now)
    except InvalidToken:
        return render(request, "manage/invalid.html", status=404)
    except NothingToRefund:
        pass  # spent or sent back meanwhile: the page no longer offers it
    return HttpResponseRedirect(reverse("manage-page", args=[token]), status=303)
