"""`GET /api/catalogue`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.catalogue.queries import active_offers
from mindfulqalb.catalogue.serializers import CatalogueSerializer

if TYPE_CHECKING:
    from rest_framework.request import Request


class CatalogueViewSet(ViewSet):
    """What is sold, at which price, how long."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "read"

    @extend_schema(responses=forced_singular_serializer(CatalogueSerializer))
    def list(self, request: Request) -> Response:
        """List every session on sale."""
        practice = {
            "name": settings.PRACTICE_NAME,
            "timeZone": settings.PRACTICE_TIME_ZONE,
            "helplines": settings.HELPLINES,
        }
        return Response(CatalogueSerializer({"practice": practice, "sessions": active_offers()}).data)
