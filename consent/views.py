"""`/api/consent`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from consent.circumstances import circumstances_of
from consent.queries import current_document
from consent.serializers import (
    ConsentAnswerSerializer,
    ConsentRequestSerializer,
    DocumentRequestSerializer,
    DocumentSerializer,
)
from consent.services import record_consent
from mindfulqalb.api.errors import NotFound
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.api.throttles import AddressThrottle, EmailThrottle
from mindfulqalb.catalogue.queries import find_offer

if TYPE_CHECKING:
    from rest_framework.request import Request


class ConsentViewSet(ViewSet):
    """The text shown, and the record that it was accepted."""

    throttle_classes = (AddressThrottle, EmailThrottle)
    throttle_scope = "consent"

    @extend_schema(parameters=[DocumentRequestSerializer], responses=DocumentSerializer)
    @action(detail=False, methods=["get"])
    def document(self, request: Request) -> Response:
        """Return the text to show, in `locale` where there is a translation."""
        asked = DocumentRequestSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = current_document(locale=asked.validated_data["locale"], now=timezone.now())
        if found is None:
            raise NotFound
        return Response(DocumentSerializer(found).data)

    @extend_schema(request=ConsentRequestSerializer, responses={201: ConsentAnswerSerializer})
    def create(self, request: Request) -> Response:
        """Record that the text was accepted, point by point."""
        asked = ConsentRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        offer = find_offer(session_type=data["sessionType"], session_format=data["format"])
        consent = record_consent(
            session_type=offer.session_type,
            email=data["email"],
            version=data["consentVersion"],
            acknowledgments=data["acknowledgments"],
            circumstances=circumstances_of(
                request,
                claimed_address=data["ipAddress"] or "",
                user_agent=data["userAgent"] or "",
                locale=data["locale"] or "en",
            ),
            now=timezone.now(),
        )
        answer = {"success": True, "consentId": CONSENT.encode(consent.id)}
        return Response(answer, status=status.HTTP_201_CREATED)
