"""`/api/staff/consents`: for auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.viewsets import ViewSet

from consent.export_admin import PERMISSION, archive_response
from consent.export_filter import ConsentFilter
from consent.exports import export_consents
from consent.serializers import ExportRequestSerializer
from mindfulqalb.api.negotiation import WhateverIsAccepted
from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.staff.authentication import HasStaffPermission, StaffTokenAuthentication

if TYPE_CHECKING:
    from django.http import StreamingHttpResponse
    from rest_framework.request import Request


class StaffConsentViewSet(ViewSet):
    """Evidence, taken out by those whose role lets them."""

    authentication_classes = (StaffTokenAuthentication,)
    permission_classes = (HasStaffPermission,)
    required_permission = PERMISSION
    throttle_classes = (AddressThrottle,)
    throttle_scope = "staff"
    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        request=ExportRequestSerializer,
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
        extensions={"x-refusals": ["409"]},
    )
    @action(detail=False, methods=["post"])
    def export(self, request: Request) -> StreamingHttpResponse:
        """Send the records that the filter leaves, their proofs, a signed manifest and a verifier, as a ZIP archive."""
        asked = ExportRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        wanted = ConsentFilter(
            Period(data["since"], data["until"]), data["version"], data["sessionType"], data["state"]
        )
        export, archive = export_consents(
            wanted=wanted,
            actor=f"staff:{request.user.pk}",
            reason=data["reason"],
            now=timezone.now(),
            allow_empty=data["allowEmpty"],
        )
        return archive_response(archive, export.filename)
