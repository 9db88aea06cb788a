"""The shapes of the booking calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from bookings.calendars import calendar
from bookings.links import calendar_file_url, manage_url, receipt_url
from bookings.practice_time import clock_text, local, written_clock
from consent.serializers import age_band_field
from mindfulqalb.api.fields import (
    ClockTime,
    EmailAddress,
    Month,
    PersonName,
    PhoneNumber,
    PlainText,
    PublicIdField,
    SessionDate,
    StrictBoolean,
    TimeZone,
    VisitorTimeZone,
)
from mindfulqalb.api.public_ids import BOOKING, CONSENT
from payments.receipts.models import ReceiptKind

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from bookings.availability import Availability, Slot
    from bookings.credits import Credit
    from bookings.models import Booking
    from bookings.services.cancellation import Quote
    from bookings.services.rescheduling import MoveTerms
    from payments.receipts.models import Receipt


class SessionSerializer(serializers.Serializer[object]):
    """Which kind of session; without format, the type's usual one."""

    sessionType = PlainText(max_length=50)
    format = PlainText(max_length=20, required=False, default=None, allow_null=True)


class AvailabilityRequestSerializer(SessionSerializer):
    """`GET` or `POST /api/availability`: a day, or a month's overview, or both at once.

    With `timeZone`, day and month are meant in that zone; without, in the practice's.
    """

    date = SessionDate(required=False, default=None, allow_null=True, help_text="Required unless `month` is given.")
    month = Month(required=False, default=None, allow_null=True)
    timeZone = TimeZone(required=False, default=None, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Want at least one of the two."""
        if attrs["date"] is None and attrs["month"] is None:
            raise serializers.ValidationError({"date": [self.fields["date"].error_messages["null"]]})
        return attrs


class SlotSerializer(serializers.Serializer[object]):
    """A time on the practice's clock, which is how it is booked; as an instant; and on the client's clock."""

    time = serializers.CharField(help_text="`10:00 AM`, on the practice's clock.")
    available = serializers.BooleanField()
    start = serializers.CharField(help_text="ISO 8601, with the practice's offset.")
    date = serializers.DateField(help_text="The practice's.")
    clientTime = serializers.CharField(help_text="In the zone that was asked for.")
    clientDate = serializers.DateField()


class FreeDaySerializer(serializers.Serializer[object]):
    """A day of the month on which something is free, and how many times are."""

    date = serializers.DateField()
    free = serializers.IntegerField()


class AvailabilitySerializer(serializers.Serializer[object]):
    """A day's slots and, where it was asked for, a month's days that have free ones.

    `time`, `date` and `timeZone` are the practice's; `stale` says that the calendar could not be asked just now.
    """

    date = serializers.DateField(allow_null=True)
    timeZone = serializers.CharField()
    clientTimeZone = serializers.CharField()
    slots = SlotSerializer(many=True)
    month = Month(required=False)
    days = FreeDaySerializer(many=True, required=False)
    stale = serializers.BooleanField()


class CustomerSerializer(serializers.Serializer[object]):
    """Who comes."""

    name = PersonName()
    email = EmailAddress()
    phone = PhoneNumber(required=False, default=None, allow_null=True, allow_blank=True)


class WishSerializer(SessionSerializer):
    """One session at one time for one person."""

    date = SessionDate()
    time = ClockTime()
    customer = CustomerSerializer()
    consentAccepted = StrictBoolean(required=False, default=False)
    consentId = PublicIdField(kind=CONSENT, required=False, default=None, allow_null=True)
    locale = PlainText(max_length=10, required=False, default="", help_text="en or hi; else Accept-Language decides.")
    ageBand = age_band_field()
    timeZone = VisitorTimeZone(
        required=False,
        default=None,
        allow_null=True,
        help_text="The client's, so that no reminder comes at night; `date` and `time` are the practice's.",
    )


class BookingRequestSerializer(WishSerializer):
    """`POST /api/bookings`."""

    paymentId = PlainText(max_length=255, required=False, default=None, allow_null=True)


class HoldRequestSerializer(WishSerializer):
    """`POST /api/bookings/hold`."""

    payWith = serializers.ChoiceField(choices=["razorpay", "stripe"], required=False, default=None, allow_null=True)
    successUrl = serializers.URLField(max_length=2000, required=False, default="")
    cancelUrl = serializers.URLField(max_length=2000, required=False, default="")


class BookingAnswerSerializer(serializers.Serializer[object]):
    """A session that is ours; `confirmationUrl` is null while it is being written into the calendar.

    Both links are null for a caller who only knows the email, or an old payment's id with it: they stand in the mail.
    """

    success = serializers.BooleanField()
    bookingId = serializers.CharField()
    confirmationUrl = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    manageUrl = serializers.CharField(allow_null=True)


class OrderToPaySerializer(serializers.Serializer[object]):
    """How to pay a hold: Razorpay's dialog or Stripe's page."""

    payWith = serializers.CharField()
    orderId = serializers.CharField(required=False)
    amount = serializers.IntegerField(required=False)
    currency = serializers.CharField(required=False)
    keyId = serializers.CharField(required=False)
    sessionId = serializers.CharField(required=False)
    url = serializers.CharField(required=False)


class HoldSerializer(serializers.Serializer[object]):
    """A slot that is kept until `expiresAt`."""

    success = serializers.BooleanField()
    bookingId = serializers.CharField()
    expiresAt = serializers.DateTimeField()
    token = serializers.CharField()
    payment = OrderToPaySerializer(allow_null=True)


class CancellationSerializer(serializers.Serializer[object]):
    """What goes back if the client cancels now; `refund` in paise or cents, null where nothing was paid."""

    refundPercent = serializers.IntegerField()
    refund = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField(allow_null=True)


class CreditSerializer(serializers.Serializer[object]):
    """Paid, and without a session: it buys another time, or goes back when asked for, and by itself at `until`."""

    amount = serializers.IntegerField()
    currency = serializers.CharField()
    until = serializers.DateTimeField()
    chooseAgainUrl = serializers.CharField()


class ReceiptSerializer(serializers.Serializer[object]):
    """A receipt, or the note of a refund: what it is about, and the page that shows it."""

    number = serializers.CharField()
    kind = serializers.ChoiceField(choices=["payment", "refund"])
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    issuedAt = serializers.DateTimeField()
    url = serializers.CharField()


class NewTimeSerializer(serializers.Serializer[object]):
    """`POST /api/bookings/{id}/reschedule`: a time from the list, on the practice's clock."""

    date = SessionDate()
    time = ClockTime()


class MoveTermsSerializer(serializers.Serializer[object]):
    """How often, and until when, the client may still move it."""

    until = serializers.DateTimeField()
    movesLeft = serializers.IntegerField()


class BookingStatusSerializer(BookingAnswerSerializer):
    """What a client's link shows; `cancellation` is null where there is nothing to cancel.

    `reschedule` is null where it cannot be moved; `movingTo` is where it is being moved just now.
    """

    sessionType = serializers.CharField()
    format = serializers.CharField()
    startsAt = serializers.DateTimeField()
    endsAt = serializers.DateTimeField()
    date = serializers.DateField()
    time = serializers.CharField()
    timeZone = serializers.CharField()
    calendarUrl = serializers.CharField()
    cancellation = CancellationSerializer(allow_null=True)
    credit = CreditSerializer(allow_null=True)
    receipts = ReceiptSerializer(many=True)
    reschedule = MoveTermsSerializer(allow_null=True)
    movingTo = serializers.DateTimeField(allow_null=True)


def availability_answer(asked: dict[str, Any], found: Availability, practice: ZoneInfo) -> dict[str, Any]:
    """Translate what is free into the specification's answer, and ours."""
    zone = asked["timeZone"] or practice
    answer = {
        "date": asked["date"] and asked["date"].isoformat(),
        "timeZone": practice.key,
        "clientTimeZone": zone.key,
        "slots": [_slot(slot, practice, zone) for slot in found.slots],
    }
    if asked["month"] is not None:
        days = [{"date": day.date.isoformat(), "free": day.free} for day in found.days]
        answer |= {"month": f"{asked['month']:%Y-%m}", "days": days}
    return answer | {"stale": found.is_stale}


def _slot(slot: Slot, practice: ZoneInfo, zone: ZoneInfo) -> dict[str, Any]:
    here, theirs = slot.starts_at.astimezone(practice), slot.starts_at.astimezone(zone)
    return {
        "time": written_clock(here),
        "available": slot.is_available,
        "start": here.isoformat(),
        "date": here.date().isoformat(),
        "clientTime": written_clock(theirs),
        "clientDate": theirs.date().isoformat(),
    }


def booking_answer(booking: Booking, *, now: datetime) -> dict[str, Any]:
    """Translate a booking into the specification's answer."""
    uid = booking.calcom_booking_id
    return {
        "success": True,
        "bookingId": BOOKING.encode(booking.id),
        "confirmationUrl": calendar().page_url(uid) if uid else None,
        "status": booking.state.lower(),
        "manageUrl": manage_url(booking, now=now),
    }


def booking_status(
    booking: Booking,
    *,
    quote: Quote | None,
    credit: Credit | None,
    receipts: list[Receipt],
    terms: MoveTerms | None,
    moving_to: datetime | None,
    time_zone: str,
    now: datetime,
) -> dict[str, Any]:
    """Translate a booking into what its client sees."""
    return booking_answer(booking, now=now) | {
        "sessionType": booking.session_type,
        "format": booking.session_format,
        "startsAt": local(booking.starts_at).isoformat(),
        "endsAt": local(booking.ends_at).isoformat(),
        "date": booking.session_date.isoformat(),
        "time": clock_text(booking.starts_at),
        "timeZone": time_zone,
        "calendarUrl": calendar_file_url(booking, now=now),
        "cancellation": _cancellation(quote) if quote else None,
        "credit": _credit(credit) if credit else None,
        "reschedule": {"until": local(terms.until).isoformat(), "movesLeft": terms.moves_left} if terms else None,
        "movingTo": local(moving_to).isoformat() if moving_to else None,
        "receipts": [_receipt(booking, receipt, now) for receipt in receipts],
    }


def _credit(credit: Credit) -> dict[str, Any]:
    return {
        "amount": credit.amount.amount_minor,
        "currency": credit.amount.currency,
        "until": local(credit.until).isoformat(),
        "chooseAgainUrl": credit.choose_again_url,
    }


def _receipt(booking: Booking, receipt: Receipt, now: datetime) -> dict[str, Any]:
    return {
        "number": receipt.number,
        "kind": ReceiptKind(receipt.kind).name.lower(),
        "amount": receipt.amount_minor,
        "currency": receipt.currency,
        "issuedAt": local(receipt.issued_at).isoformat(),
        "url": receipt_url(booking, receipt.number, now=now),
    }


def _cancellation(quote: Quote) -> dict[str, Any]:
    return {
        "refundPercent": quote.percent,
        "refund": quote.refund.amount_minor if quote.refund else None,
        "currency": quote.refund.currency if quote.refund else None,
    }
