"""`/api/consent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from consent.circumstances import circumstances_of
from consent.links import consent_of_token
from consent.queries import current_document
from consent.receipts import receipt_of
from consent.serializers import (
    ConsentAnswerSerializer,
    ConsentRequestSerializer,
    DocumentRequestSerializer,
    DocumentSerializer,
    WithdrawalSerializer,
)
from consent.services import Answer, Guardianship, record_consent
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.errors import NotFound
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.api.schema import CLIENT_LINK
from mindfulqalb.api.throttles import AddressThrottle, EmailThrottle
from mindfulqalb.api.tokens import bearer_token
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
        data = asked.validated_data
        found = current_document(kind=data["kind"], locale=data["locale"], now=timezone.now())
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
                control_label=data["controlLabel"],
            ),
            age_band=data["ageBand"],
            guardianship=_guardianship(data["guardian"], data["assent"]),
            notice_version=data["noticeVersion"],
            reference=f"offer:{offer.code}",
            now=timezone.now(),
        )
        answer = {"success": True, "consentId": CONSENT.encode(consent.id)}
        return Response(answer, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=WithdrawalSerializer, auth=[CLIENT_LINK])
    @action(detail=False, methods=["post"])
    def withdraw(self, request: Request) -> Response:
        """Withdraw all that the holder of the signed link has agreed to. Booked sessions stand until cancelled."""
        now = timezone.now()
        consent = consent_of_token(bearer_token(request), now=now)
        rows = withdraw_consent(consent_id=consent.id, circumstances=circumstances_of(request), now=now)
        return Response({"success": True, "withdrawn": len(rows)})

    @extend_schema(responses=OpenApiTypes.OBJECT, auth=[CLIENT_LINK])
    @action(detail=False, methods=["get"])
    def receipt(self, request: Request) -> Response:
        """Return the receipt (ISO/IEC TS 27560, Kantara) to the holder of the signed link."""
        now = timezone.now()
        return Response(receipt_of(consent_of_token(bearer_token(request), now=now), now=now))


def _guardianship(guardian: dict[str, Any] | None, assent: dict[str, Any] | None) -> Guardianship | None:
    if guardian is None or assent is None:
        return None
    return Guardianship(
        name=guardian["name"],
        email=guardian["email"],
        relation=guardian["relation"],
        consent=Answer(guardian["version"], guardian["acknowledgments"]),
        assent=Answer(assent["version"], assent["acknowledgments"]),
    )
