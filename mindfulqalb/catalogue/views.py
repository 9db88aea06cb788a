"""`GET /api/catalogue`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.catalogue.queries import active_offers
from mindfulqalb.catalogue.serializers import CatalogueRequestSerializer, CatalogueSerializer
from mindfulqalb.catalogue.terms import cancellation_rules, refund_steps, terms_text
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from rest_framework.request import Request


class CatalogueViewSet(ViewSet):
    """What is sold, at which price, how long."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "read"

    @extend_schema(parameters=[CatalogueRequestSerializer], responses=forced_singular_serializer(CatalogueSerializer))
    def list(self, request: Request) -> Response:
        """List every session on sale; asked with a time, say as well what cancelling a session then gives back."""
        asked = CatalogueRequestSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        practice = {
            "name": settings.PRACTICE_NAME,
            "timeZone": settings.PRACTICE_TIME_ZONE,
            "helplines": settings.HELPLINES,
        }
        catalogue: dict[str, object] = {
            "practice": practice,
            "sessions": active_offers(),
            "cancellation": _terms(asked.validated_data, timezone.now()),
        }
        return Response(CatalogueSerializer(catalogue).data)


def _terms(asked: dict[str, Any], now: datetime) -> dict[str, object] | None:
    if asked["date"] is None:
        return None
    zone = practice_zone()
    starts_at = datetime.combine(asked["date"], asked["time"], tzinfo=zone).astimezone(UTC)
    steps = refund_steps(cancellation_rules(), starts_at=starts_at, now=now)
    return {"text": terms_text(steps, starts_at=starts_at, zone=zone), "steps": steps}
