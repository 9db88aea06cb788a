"""The shapes of the calls that give tokens."""

from __future__ import annotations

from rest_framework import serializers

from mindfulqalb.api.fields import PlainText


class SignInSerializer(serializers.Serializer[object]):
    """`POST /api/auth/token`."""

    username = PlainText(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)
    code = PlainText(
        max_length=40, required=False, default="", help_text="Of the authenticator app, or a recovery code."
    )


class RefreshSerializer(serializers.Serializer[object]):
    """`POST /api/auth/refresh` and `revoke`."""

    refreshToken = PlainText(max_length=200)


class TokenPairSerializer(serializers.Serializer[object]):
    """What both give."""

    accessToken = serializers.CharField()
    refreshToken = serializers.CharField()
    tokenType = serializers.CharField(help_text="Bearer")
    expiresIn = serializers.IntegerField(help_text="Seconds until the access token ends.")


class RevokedSerializer(serializers.Serializer[object]):
    """That a token is gone."""

    success = serializers.BooleanField()
