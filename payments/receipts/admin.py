"""Receipts in the admin: to read, and to hand out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from mindfulqalb.audit.services import record
from mindfulqalb.staff.masking import mask_name
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.staff.values import ValuesFilter
from payments.receipts.models import Receipt
from payments.receipts.rendering import pdf_response

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest
    from django.urls import URLPattern


@admin.register(Receipt)
class ReceiptAdmin(RevealingAdmin):
    """What was issued, by number; for whom stands only on the paper itself, which asks why somebody reads it."""

    kind = "receipt"
    persons: ClassVar = {"content": mask_name}
    reveal_permission = "receipts.view_receipt"

    list_display = ("number", "issued_at", "amount", "payment", "is_void")
    list_filter: ClassVar = ["kind", ("year", ValuesFilter), ("currency", ValuesFilter)]
    list_select_related = ("payment", "refund")
    search_fields = ("payment__provider_payment_id", "refund__provider_refund_id")
    ordering = ("-issued_at",)
    exclude = ("content",)
    readonly_fields = ("number", "pdf")

    @admin.display(boolean=True, description="void")
    def is_void(self, receipt: Receipt) -> bool:
        """Whether the money of a refund note came back to us after all."""
        return receipt.is_void

    @admin.display(description="PDF")
    def pdf(self, receipt: Receipt) -> str:
        """Lead to the paper; it opens for as long as somebody has said why they look."""
        return format_html('<a href="{}">{}.pdf</a>', reverse("admin:receipts_pdf", args=[receipt.pk]), receipt.number)

    def get_urls(self) -> list[URLPattern]:
        """Add the paper's address."""
        paper = path("<uuid:pk>/pdf", self.admin_site.admin_view(self.show_pdf), name="receipts_pdf")
        return [paper, *super().get_urls()]

    def show_pdf(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Hand out the paper to staff who have said why, on record: it names a client."""
        if not self.has_reveal_permission(request):
            return HttpResponse(status=403)
        receipt = self.get_object(request, str(pk))
        if receipt is None:
            raise Http404
        if receipt.shown_until is None:
            return HttpResponseRedirect(reverse("admin:receipts_receipt_reveal", args=[pk]))
        record(
            action="receipt.seen",
            actor=f"staff:{request.user.pk}",
            target=f"payment:{receipt.payment_id}",
            now=timezone.now(),
            details={"number": receipt.number},
        )
        return pdf_response(receipt)
