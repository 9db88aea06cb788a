"""The catalogue as the API shows it."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR
from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from mindfulqalb.api.fields import ClockTime, SessionDate

if TYPE_CHECKING:
    import datetime as dt

    from mindfulqalb.catalogue.models import Price, SessionOffer  # noqa: F401  (named in the generics below)
    from mindfulqalb.catalogue.terms import RefundStep  # noqa: F401  (named in the generics below)


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
    therapist = serializers.CharField(source="therapist.name")


class HelplineSerializer(serializers.Serializer[dict[str, str]]):
    """Whom to call at once."""

    name = serializers.CharField()
    phone = serializers.CharField()


class PracticeSerializer(serializers.Serializer[dict[str, object]]):
    """Who sells."""

    name = serializers.CharField()
    timeZone = serializers.CharField()
    helplines = HelplineSerializer(many=True)


class CatalogueRequestSerializer(serializers.Serializer[object]):
    """`GET /api/catalogue`: asked with a session's day and time, the answer says what cancelling it gives back."""

    date = SessionDate(required=False, default=None, allow_null=True)
    time = ClockTime(required=False, default=None, allow_null=True)

    def validate_date(self, value: dt.date | None) -> dt.date | None:
        """Want a day that has one before and one after it, wherever on Earth."""
        if value is not None and value.year in {MINYEAR, MAXYEAR}:
            self.fields["date"].fail("invalid")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want both or none."""
        for given, missing in (("date", "time"), ("time", "date")):
            if attrs[given] is not None and attrs[missing] is None:
                raise serializers.ValidationError({missing: [self.fields[missing].error_messages["null"]]})
        return attrs


class RefundStepSerializer(serializers.Serializer["RefundStep"]):
    """Cancelled until then, so much comes back."""

    until = serializers.DateTimeField()
    refundPercent = serializers.IntegerField(source="percent")


class CancellationTermsSerializer(serializers.Serializer[dict[str, object]]):
    """What the rules mean for one session from now on; after the last step nothing comes back."""

    text = serializers.CharField(help_text="The steps as one sentence, in the language that was asked for.")
    steps = RefundStepSerializer(many=True)


class CatalogueSerializer(serializers.Serializer[dict[str, object]]):
    """All that a booking page needs to start."""

    practice = PracticeSerializer()
    sessions = OfferSerializer(many=True)
    cancellation = CancellationTermsSerializer(allow_null=True, help_text="Null where no time was asked about.")
