"""The catalogue as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework import serializers

if TYPE_CHECKING:
    from mindfulqalb.catalogue.models import Price, SessionOffer  # noqa: F401  (named in the generics below)


class PriceSerializer(serializers.Serializer["Price"]):
    """One price; `amount` is in paise or cents."""

    currency = serializers.CharField()
    amount = serializers.IntegerField(source="amount_minor")
    payWith = serializers.CharField(source="gateway")


class OfferSerializer(serializers.Serializer["SessionOffer"]):
    """One session that can be booked; no prices means free."""

    code = serializers.CharField()
    sessionType = serializers.CharField(source="session_type")
    format = serializers.CharField()
    title = serializers.CharField()
    durationMinutes = serializers.IntegerField(source="duration_minutes")
    prices = PriceSerializer(many=True, source="prices.all")


class HelplineSerializer(serializers.Serializer[dict[str, str]]):
    """Whom to call at once."""

    name = serializers.CharField()
    phone = serializers.CharField()


class PracticeSerializer(serializers.Serializer[dict[str, object]]):
    """Who sells."""

    name = serializers.CharField()
    timeZone = serializers.CharField()
    helplines = HelplineSerializer(many=True)


class CatalogueSerializer(serializers.Serializer[dict[str, object]]):
    """All that a booking page needs to start."""

    practice = PracticeSerializer()
    sessions = OfferSerializer(many=True)
