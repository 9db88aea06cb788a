"""What documents and records can be. Nothing here is stored as a state: states are derived from rows and time."""

from __future__ import annotations

from django.db import models


class DocumentKind(models.TextChoices):
    """What a document is about. Therapy and marketing are asked for apart: no booking needs the optional ones."""

    INFORMED_CONSENT = "informed_consent", "Informed consent"
    PRIVACY_NOTICE = "privacy_notice", "Privacy notice"
    GUARDIAN_CONSENT = "guardian_consent", "Guardian's consent"
    MINOR_ASSENT = "minor_assent", "Minor's assent"
    RECORDING = "recording", "Recording of sessions"
    MARKETING = "marketing", "News and offers"


class DocumentState(models.TextChoices):
    """How far a document has come."""

    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"
    RETIRED = "retired", "Retired: a newer version is in force"


class ConsentEvent(models.TextChoices):
    """One act, one row."""

    GIVEN = "given", "Given"
    RENEWED = "renewed", "Given again"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    SUPERSEDED = "superseded", "Superseded by consent to a newer text"


GIVING = (ConsentEvent.GIVEN.value, ConsentEvent.RENEWED.value)
CLOSING = (ConsentEvent.WITHDRAWN.value, ConsentEvent.EXPIRED.value, ConsentEvent.SUPERSEDED.value)


class ConsentState(models.TextChoices):
    """What has become of a given consent."""

    VALID = "valid", "Valid"
    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Superseded"
    FLAGGED = "flagged", "To a text that we never published"


class ConsentMethod(models.TextChoices):
    """How an act was done."""

    CHECKBOX = "checkbox", "Ticked each point"
    BOOKING = "booking", "Accepted with the booking"
    LINK = "link", "Button behind the signed link"
    CLOCK = "clock", "By the passing of time"
    REQUEST = "request", "Asked of staff, who made sure that it was them"


class AgeBand(models.TextChoices):
    """What the law asks about age, and no more: a date of birth would be more than we need."""

    ADULT = "adult", "18 or older"
    UNDER_18 = "under_18", "Under 18"


class GuardianRelation(models.TextChoices):
    """Who consents for a child."""

    MOTHER = "mother", "Mother"
    FATHER = "father", "Father"
    LEGAL_GUARDIAN = "legal_guardian", "Legal guardian"
