"""What is sold: a kind of session in a format, by a therapist, at a price per currency."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop as _


class SessionType(models.TextChoices):
    """Who comes."""

    INDIVIDUAL = "individual", "Individual"
    COUPLES = "couples", "Couples"
    FAMILY = "family", "Family"
    FREE = "free", "Free first call"


class SessionFormat(models.TextChoices):
    """How they talk."""

    CHAT = "chat", "Chat"
    AUDIO = "audio", "Audio"
    VIDEO = "video", "Video"


# As clients read them; templates translate.
FORMAT_NAMES = {
    SessionFormat.CHAT: _("Text chat"),
    SessionFormat.AUDIO: _("Audio call"),
    SessionFormat.VIDEO: _("Video call"),
}
EVENT_TYPE_OF_ANOTHER = "This event type is another therapist's: their calendars would be mixed up."
# Rupees are paid through Razorpay, dollars through Stripe.
GATEWAY_OF_CURRENCY = {"INR": "razorpay", "USD": "stripe"}


class Therapist(models.Model):
    """Whose hours are sold. A practice of one has one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    is_active = models.BooleanField(default=True)
    member = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="therapist",
        help_text="The staff account of this person: by it they see their own sessions.",
    )

    class Meta:
        db_table = "therapists"
        permissions: ClassVar = [("see_every_therapist", "Can see the sessions of all therapists")]

    def __str__(self) -> str:
        return self.name


class SessionOffer(models.Model):
    """A session that a client can book."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_type = models.CharField(max_length=50, choices=SessionType)
    format = models.CharField(max_length=20, choices=SessionFormat)
    title = models.CharField(max_length=100, help_text="As clients read it, in mails too: nothing clinical.")
    duration_minutes = models.PositiveSmallIntegerField()
    buffer_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="Minutes kept free after it, before the therapist's next session may begin."
    )
    therapist = models.ForeignKey(Therapist, on_delete=models.PROTECT, related_name="offers")
    calendar_event_type = models.CharField(
        max_length=50, blank=True, help_text="Cal.com event type id. Empty: taken from CALCOM_EVENT_TYPE_IDS."
    )
    is_default = models.BooleanField(default=False, help_text="Stands for its type where no format is named.")
    is_active = models.BooleanField(default=True, help_text="Untick to stop selling it; bookings made stay.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the booking page.")
    moves_allowed = models.PositiveSmallIntegerField(
        default=2, help_text="How often a client may move one session; 0: only the practice moves it."
    )
    move_notice_hours = models.PositiveSmallIntegerField(
        default=24, help_text="Clients may move a session until so many hours before it begins."
    )

    class Meta:
        db_table = "session_offers"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session_type", "format"], name="offer_type_format"),
            models.UniqueConstraint(
                fields=["session_type"],
                condition=Q(is_default=True),
                name="offer_one_default",
                violation_error_message="Another offer of this type is its default: untick it there first.",
            ),
            ExclusionConstraint(
                name="offer_event_type_of_one_therapist",
                expressions=[
                    ("calendar_event_type", RangeOperators.EQUAL),
                    ("therapist", RangeOperators.NOT_EQUAL),
                ],
                condition=~Q(calendar_event_type=""),
                violation_error_message=EVENT_TYPE_OF_ANOTHER,
            ),
            models.CheckConstraint(
                condition=Q(duration_minutes__gt=0),
                name="offer_duration_positive",
                violation_error_message="A session lasts at least a minute.",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The offer's name in settings and on payments: `individual-video`; the free call is `free`."""
        if self.session_type == SessionType.FREE:
            return self.session_type
        return f"{self.session_type}-{self.format}"

    @property
    def is_free(self) -> bool:
        """Whether it is sold without payment: by its type, never because a price is missing."""
        return self.session_type == SessionType.FREE


class Price(models.Model):
    """What an offer costs in one currency."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    offer = models.ForeignKey(SessionOffer, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3, choices=[(code, code) for code in GATEWAY_OF_CURRENCY])
    amount_minor = models.PositiveIntegerField(help_text="In paise or cents.")

    class Meta:
        db_table = "prices"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["offer", "currency"], name="price_offer_currency"),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=50),
                name="price_chargeable",
                violation_error_message="Gateways take no less than 50 paise or cents.",
            ),
            models.CheckConstraint(condition=Q(currency__in=sorted(GATEWAY_OF_CURRENCY)), name="price_currency_taken"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.amount_minor}"

    @property
    def gateway(self) -> str:
        """The gateway that takes this currency."""
        return GATEWAY_OF_CURRENCY[self.currency]


class CancellationRule(models.Model):
    """What goes back when a client cancels: the rule with the most hours that the notice still reaches decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hours_before = models.PositiveIntegerField(unique=True, help_text="Notice in hours, at least.")
    refund_percent = models.PositiveSmallIntegerField(help_text="0 to 100.")

    class Meta:
        db_table = "cancellation_rules"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(refund_percent__lte=100),
                name="cancellation_percent",
                violation_error_message="At most 100 percent can go back.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.hours_before} hours before: {self.refund_percent} %"
