"""The shape of the public keys."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class AuditKeySerializer(serializers.Serializer[Any]):
    """One public key."""

    keyId = serializers.CharField(help_text="As it stands in checkpoints and manifests.")
    algorithm = serializers.CharField()
    publicKey = serializers.CharField(help_text="PEM (SubjectPublicKeyInfo).")


class AuditKeysSerializer(serializers.Serializer[Any]):
    """All of them, the one that signs now first."""

    keys = AuditKeySerializer(many=True)
