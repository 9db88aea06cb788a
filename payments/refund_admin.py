"""The refund of a payment, or of a part of it, as a page of the admin."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from mindfulqalb.api.errors import Refusal
from payments.queries import is_disputed, refundable
from payments.refunds import request_refund
from payments.states import RefundReason

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from payments.models import Payment, Refund

LOWEST = Decimal("0.01")


class AmountInput(forms.TextInput):
    """Digits on a phone, and no browser that changes them by a turn of the wheel."""

    def __init__(self) -> None:
        """Ask the phone for its number keys."""
        super().__init__(attrs={"inputmode": "decimal", "autocomplete": "off", "size": 12})


class RefundForm(forms.Form):
    """How much, typed twice; `left` is what the page showed."""

    left = forms.IntegerField(widget=forms.HiddenInput)
    amount = forms.DecimalField(min_value=LOWEST, max_digits=10, decimal_places=2, widget=AmountInput)
    again = forms.DecimalField(label="The amount once more", max_digits=10, decimal_places=2, widget=AmountInput)

    def clean(self) -> dict[str, Any]:
        """Let nothing go by a slip of the finger."""
        cleaned = super().clean() or self.cleaned_data
        if "again" in cleaned and "amount" in cleaned and cleaned["again"] != cleaned["amount"]:
            self.add_error("again", "This is not the same amount.")
        return cleaned

    @property
    def amount_minor(self) -> int:
        """The amount in paise or cents: both currencies taken here have two decimals."""
        return int(self.cleaned_data["amount"] * 100)


class RefundPage(admin.ModelAdmin[Any]):
    """Adds the page, for those whose role lets them send money back."""

    def has_refund_permission(self, request: HttpRequest) -> bool:
        """Whether this person may send money back."""
        return request.user.has_perm("payments.add_refund")

    def get_urls(self) -> list[URLPattern]:
        """Add its address."""
        page = path("<uuid:pk>/refund/", self.admin_site.admin_view(self.refund), name="payments_payment_refund")
        return [page, *super().get_urls()]

    @admin.display(description="refund")
    def money_back(self, payment: Payment) -> str:
        """Lead to the page as long as something is left."""
        if refundable(payment).amount_minor <= 0:
            return "Not now: the client's bank is deciding." if is_disputed(payment) else "Nothing is left to refund."
        return format_html('<a href="{}">Refund…</a>', _address(payment, "refund"))

    def refund(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask how much, send that back, and say so."""
        if not self.has_refund_permission(request):
            raise PermissionDenied
        payment = self.get_object(request, str(pk))
        if payment is None:
            raise Http404
        left = refundable(payment)
        form = RefundForm(request.POST or None, initial={"left": left.amount_minor})
        if form.is_valid():
            return self._send_back(request, payment, form)
        context = {
            **self.admin_site.each_context(request),
            "title": "Refund",
            "form": form,
            "opts": self.opts,
            "payment": payment,
            "left": left,
            "back": _address(payment, "change"),
        }
        return TemplateResponse(request, "admin/payments/payment/refund.html", context)

    def _send_back(self, request: HttpRequest, payment: Payment, form: RefundForm) -> HttpResponse:
        try:
            refund = _request(payment, form, actor=f"staff:{request.user.pk}")
        except Refusal as refusal:
            self.message_user(request, str(refusal.detail), "WARNING")
            return HttpResponseRedirect(_address(payment, "refund"))
        said = f"{refund.amount} goes back to the client; {refundable(payment)} of this payment is left."
        self.message_user(request, said, "SUCCESS")
        return HttpResponseRedirect(_address(payment, "change"))


def _request(payment: Payment, form: RefundForm, *, actor: str) -> Refund:
    return request_refund(
        payment_id=payment.id,
        amount_minor=form.amount_minor,
        seen_left=form.cleaned_data["left"],
        reason=RefundReason.STAFF,
        actor=actor,
        now=timezone.now(),
    )


def _address(payment: Payment, page: str) -> str:
    return reverse(f"admin:payments_payment_{page}", args=[payment.pk])
