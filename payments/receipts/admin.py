"""Receipts in the admin: to read, and to hand out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from mindfulqalb.audit.services import record
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter
from payments.receipts.models import Receipt
from payments.receipts.rendering import pdf_response

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest
    from django.urls import URLPattern


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """What was issued, by number; for whom stands only on the paper itself."""

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
        """Lead to the paper."""
        return format_html('<a href="{}">{}.pdf</a>', reverse("admin:receipts_pdf", args=[receipt.pk]), receipt.number)

    def get_urls(self) -> list[URLPattern]:
        """Add the paper's address."""
        paper = path("<uuid:pk>/pdf", self.admin_site.admin_view(self.show_pdf), name="receipts_pdf")
        return [paper, *super().get_urls()]

    def show_pdf(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Hand out the paper to staff who may see receipts, on record: it names a client."""
        receipt = get_object_or_404(Receipt, pk=pk)
        if not self.has_view_permission(request, receipt):
            return HttpResponse(status=403)
        record(
            action="receipt.seen",
            actor=f"staff:{request.user.pk}",
            target=f"payment:{receipt.payment_id}",
            now=timezone.now(),
            details={"number": receipt.number},
        )
        return pdf_response(receipt)
