"""A client's receipts, on a page and as files, by the signed link of their booking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bookings.links import booking_of_token
from bookings.receipts import UnknownReceipt, receipt_of
from mindfulqalb.api.tokens import InvalidToken
from mindfulqalb.languages.choice import speak
from payments.receipts.rendering import pdf_response, shown

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from payments.receipts.models import Receipt


@require_safe
@never_cache
def receipt_page(request: HttpRequest, token: str, number: str) -> HttpResponse:
    """A receipt to read and to print."""
    receipt = _opened(request, token, number)
    if receipt is None:
        return render(request, "manage/invalid.html", status=404)
    context = {
        "shown": shown(receipt),
        "pdf_url": reverse("receipt-file", args=[token, number]),
        "manage_url": reverse("manage-page", args=[token]),
    }
    return render(request, "receipts/page.html", context)


@require_safe
@never_cache
def receipt_file(request: HttpRequest, token: str, number: str) -> HttpResponse:
    """A receipt as PDF."""
    receipt = _opened(request, token, number)
    if receipt is None:
        return render(request, "manage/invalid.html", status=404)
    return pdf_response(receipt)


def _opened(request: HttpRequest, token: str, number: str) -> Receipt | None:
    try:
        booking = booking_of_token(token, now=timezone.now())
        speak(request, booking.locale)
        return receipt_of(booking, number=number)
    except (InvalidToken, UnknownReceipt):
        return None
