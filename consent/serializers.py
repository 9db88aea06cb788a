"""The shapes of the consent calls."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from consent.refusals import GuardianConsentRequired
from consent.states import AgeBand, ConsentState, DocumentKind, GuardianRelation
from mindfulqalb.api.fields import EmailAddress, PersonName, PlainText, SessionDate


def age_band_field() -> serializers.ChoiceField:
    """Make the field for `adult` or `under_18`; the specification's front end does not say."""
    return serializers.ChoiceField(choices=AgeBand.choices, required=False, default="", allow_blank=True)


class AnswerSerializer(serializers.Serializer[object]):
    """Which version of a document was shown, and which of its points were ticked."""

    version = PlainText(max_length=20)
    acknowledgments = serializers.ListField(child=PlainText(max_length=100), max_length=50)


class GuardianSerializer(AnswerSerializer):
    """Who consents for somebody under 18."""

    name = PersonName()
    email = EmailAddress()
    relation = serializers.ChoiceField(choices=GuardianRelation.choices)


class ConsentRequestSerializer(serializers.Serializer[object]):
    """`POST /api/consent`. `ipAddress` is what the browser believes; the fact is what our server sees.

    With `ageBand` under_18, `guardian` and `assent` are needed too.
    """

    sessionType = PlainText(max_length=50)
    format = PlainText(max_length=20, required=False, default=None, allow_null=True)
    email = EmailAddress()
    consentVersion = PlainText(max_length=20)
    acknowledgments = serializers.ListField(child=PlainText(max_length=100), max_length=50)
    ipAddress = PlainText(max_length=100, required=False, default="", allow_blank=True, allow_null=True)
    userAgent = PlainText(max_length=1000, required=False, default="", allow_blank=True, allow_null=True)
    locale = PlainText(max_length=100, required=False, default="", allow_blank=True, allow_null=True)
    ageBand = age_band_field()
    guardian = GuardianSerializer(required=False, default=None, allow_null=True)
    assent = AnswerSerializer(required=False, default=None, allow_null=True)
    noticeVersion = PlainText(max_length=20, required=False, default="", allow_blank=True)
    controlLabel = PlainText(max_length=200, required=False, default="", allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for both halves of a minor's consent, by name."""
        if attrs["ageBand"] == AgeBand.UNDER_18:
            missing = {
                name: sentence
                for name, sentence in (
                    ("guardian", "Please add the consent of a parent or guardian."),
                    ("assent", "Please add the young person's own agreement."),
                )
                if attrs[name] is None
            }
            if missing:
                raise GuardianConsentRequired(fields={name: [sentence] for name, sentence in missing.items()})
        return attrs


class DocumentRequestSerializer(serializers.Serializer[object]):
    """`GET /api/consent/document`. The text is the same for every type of session so far."""

    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False, default=DocumentKind.INFORMED_CONSENT)
    locale = PlainText(max_length=100, required=False, default="", allow_blank=True)


class WithdrawalSerializer(serializers.Serializer[object]):
    """What was withdrawn; withdrawn before, it is no error and `withdrawn` is 0."""

    success = serializers.BooleanField()
    withdrawn = serializers.IntegerField()


class ExportRequestSerializer(serializers.Serializer[object]):
    """`POST /api/staff/consents/export`. What is left out does not narrow; days are the practice's.

    An export of no record at all needs `allowEmpty`.
    """

    reason = PlainText(max_length=500)
    since = SessionDate(required=False, default=None, allow_null=True)
    until = SessionDate(required=False, default=None, allow_null=True)
    version = PlainText(max_length=20, required=False, default="", allow_blank=True)
    sessionType = PlainText(max_length=50, required=False, default="", allow_blank=True)
    state = serializers.ChoiceField(choices=ConsentState.choices, required=False, default="", allow_blank=True)
    allowEmpty = serializers.BooleanField(required=False, default=False)


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
