"""`GET /api/audit/keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.audit.serializers import AuditKeysSerializer
from mindfulqalb.audit.signing import pem, public_keys

if TYPE_CHECKING:
    from rest_framework.request import Request


class AuditKeyViewSet(ViewSet):
    """Public keys for whoever checks a checkpoint or an export of ours."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "read"

    @extend_schema(responses=forced_singular_serializer(AuditKeysSerializer))
    def list(self, request: Request) -> Response:
        """List the keys, the one that signs now first."""
        keys = [
            {"keyId": key_id, "algorithm": "Ed25519", "publicKey": pem(key)} for key_id, key in public_keys().items()
        ]
        return Response(AuditKeysSerializer({"keys": keys}).data)
