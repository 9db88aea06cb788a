"""The shapes of the consent calls."""

from __future__ import annotations

from rest_framework import serializers

from mindfulqalb.api.fields import EmailAddress, PlainText


class ConsentRequestSerializer(serializers.Serializer[object]):
    """`POST /api/consent`. `ipAddress` is what the browser believes; the fact is what our server sees."""

    sessionType = PlainText(max_length=50)
    format = PlainText(max_length=20, required=False, default=None, allow_null=True)
    email = EmailAddress()
    consentVersion = PlainText(max_length=20)
    acknowledgments = serializers.ListField(child=PlainText(max_length=100), max_length=50)
    ipAddress = PlainText(max_length=100, required=False, default="", allow_blank=True, allow_null=True)
    userAgent = PlainText(max_length=1000, required=False, default="", allow_blank=True, allow_null=True)
    locale = PlainText(max_length=100, required=False, default="", allow_blank=True, allow_null=True)


class DocumentRequestSerializer(serializers.Serializer[object]):
    """`GET /api/consent/document`. The text is the same for every type of session so far."""

    locale = PlainText(max_length=100, required=False, default="", allow_blank=True)


class ConsentAnswerSerializer(serializers.Serializer[object]):
    """The record's public id, to be sent with the booking."""

    success = serializers.BooleanField()
    consentId = serializers.CharField()


class AcknowledgmentSerializer(serializers.Serializer[object]):
    """One point to accept."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class DocumentSerializer(serializers.Serializer[object]):
    """The text to show."""

    kind = serializers.CharField()
    version = serializers.CharField()
    locale = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    sha256 = serializers.CharField()
    acknowledgments = AcknowledgmentSerializer(many=True)
