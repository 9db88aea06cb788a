"""`/api/auth/...`: tokens for the staff API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from mindfulqalb.api.errors import TooManyRequests
from mindfulqalb.api.throttles import AddressThrottle
from mindfulqalb.staff.serializers import RefreshSerializer, RevokedSerializer, SignInSerializer, TokenPairSerializer
from mindfulqalb.staff.sign_in import note_sign_in, seconds_before_attempt, visitor_of
from mindfulqalb.staff.tokens import TokenPair, refresh_pair, revoke_refresh, sign_in

if TYPE_CHECKING:
    from rest_framework.request import Request


class ClosedAddressThrottle(AddressThrottle):
    """Counts per address, and lets nobody in while it cannot count."""

    fail_open = False


class TokenViewSet(ViewSet):
    """Sign in, go on, sign out."""

    throttle_classes = (ClosedAddressThrottle,)
    throttle_scope = "staff"

    @extend_schema(request=SignInSerializer, responses=TokenPairSerializer, extensions={"x-refusals": ["401", "403"]})
    @action(detail=False, methods=["post"])
    def token(self, request: Request) -> Response:
        """Sign in with user name, password and the code of the authenticator app."""
        asked = SignInSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wait = seconds_before_attempt(request, username=asked.validated_data["username"])
        if wait is not None:
            raise TooManyRequests(retry_after=timedelta(seconds=wait))
        now = timezone.now()
        member, pair = sign_in(**asked.validated_data, now=now)
        note_sign_in(member=member, visitor=visitor_of(request), now=now)
        return _answer(pair)

    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer, extensions={"x-refusals": ["401"]})
    @action(detail=False, methods=["post"])
    def refresh(self, request: Request) -> Response:
        """Spend a refresh token for a new pair. One that comes twice ends all of the person's tokens."""
        asked = RefreshSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return _answer(refresh_pair(refresh=asked.validated_data["refreshToken"], now=timezone.now()))

    @extend_schema(request=RefreshSerializer, responses=RevokedSerializer)
    @action(detail=False, methods=["post"])
    def revoke(self, request: Request) -> Response:
        """Sign out: forget a refresh token."""
        asked = RefreshSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        revoke_refresh(refresh=asked.validated_data["refreshToken"], now=timezone.now())
        return Response({"success": True})


def _answer(pair: TokenPair) -> Response:
    body = {
        "accessToken": pair.access,
        "refreshToken": pair.refresh,
        "tokenType": "Bearer",
        "expiresIn": int(pair.lifetime.total_seconds()),
    }
    return Response(body, headers={"Cache-Control": "no-store"})
