"""The ways in which consent, or a booking for want of it, is refused."""

from __future__ import annotations

from mindfulqalb.api.errors import Refusal


class UnknownConsentVersion(Refusal):
    """The text that was shown is not one that we have published."""

    code = "unknown_consent_version"
    status = 400
    sentence = "The consent text has changed. Please read and accept the current one."


class AcknowledgmentMissing(Refusal):
    """A point that must be accepted was not."""

    code = "acknowledgment_missing"
    status = 400
    sentence = "Please accept every point of the consent to go on."


class GuardianConsentRequired(Refusal):
    """Somebody under 18 needs their guardian's consent and their own assent."""

    code = "guardian_consent_required"
    status = 400
    sentence = "Somebody under 18 can book once a parent or guardian has consented and they have agreed themselves."


class ConsentRequired(Refusal):
    """A booking without consent."""

    code = "consent_required"
    status = 400
    sentence = "Please read and accept the consent before booking."


class ConsentExpired(Refusal):
    """The consent was given too long ago to book on it."""

    code = "consent_expired"
    status = 409
    sentence = "Your consent was given a while ago and has expired. Please read and accept it again."


class ConsentWithdrawn(Refusal):
    """The consent was withdrawn; to book again, it has to be given again."""

    code = "consent_withdrawn"
    status = 409
    sentence = "This consent has been withdrawn. To book, please read and accept it again."
