"""What clients are told by mail about a booking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from bookings.calendar_file import calendar_file
from bookings.calendars import calendar
from bookings.calendars.base import AppointmentState
from bookings.consents import may_be_placed
from bookings.credits import choose_again_url, credit_ends, credit_of, is_unspent
from bookings.links import manage_url, reminders_url
from bookings.models import Booking, FindingKind
from bookings.practice_time import zone_named
from bookings.receipts import booking_paid_by
from bookings.states import BookingState
from consent.links import consent_url
from mindfulqalb.catalogue.models import FORMAT_NAMES, SessionFormat
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.mail.services import Attachment, Letter
from mindfulqalb.practice_clock import practice_zone
from payments.models import Payment, Refund
from payments.queries import is_disputed
from payments.receipts.rendering import receipt_pdf
from payments.services import payer_email
from payments.states import RefundReason, RefundState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from django.db.models import Model, QuerySet

    from consent.models import ConsentRecord
    from payments.receipts.models import Receipt

FOR_CANCELLING = (
    RefundReason.CANCELLED_BY_CLIENT,
    RefundReason.CANCELLED_BY_PRACTICE,
    RefundReason.CANCELLED_IN_CALENDAR,
)
PAID_TWICE = (RefundReason.SECOND_CAPTURE, RefundReason.SECOND_PAYMENT)


def confirmation_letter(booking: Booking, *, now: datetime) -> Letter:
    """Confirm a session, with its calendar file."""
    file = calendar_file(booking, now=now)
    return Letter(
        template="confirmation",
        recipient=booking.customer_email,
        context=_context(booking, now),
        about=f"booking:{booking.id}",
        attachments=(Attachment("session.ics", file, "text/calendar; method=PUBLISH"),),
        locale=booking.locale,
    )


def moved_letter(booking: Booking, *, now: datetime) -> Letter:
    """Say when it takes place now, with a calendar file that moves the entry."""
    return Letter(
        template="moved",
        recipient=booking.customer_email,
        context=_context(booking, now),
        about=f"booking:{booking.id}",
        attachments=(Attachment("session.ics", calendar_file(booking, now=now), "text/calendar; method=PUBLISH"),),
        locale=booking.locale,
    )


def not_moved_letter(booking: Booking, *, was_silent: bool, now: datetime) -> Letter:
    """Say that the other time could not be had, or that the calendar never answered, and that all stays as it is."""
    return Letter(
        template="not_moved",
        recipient=booking.customer_email,
        context={**_context(booking, now), "was_silent": was_silent},
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def not_moved_staff_letter(booking: Booking) -> Letter:
    """Tell the practice that a client's move came to nothing; who it is, the admin says and the mail does not."""
    return Letter(
        template="not_moved_staff",
        recipient=settings.PRACTICE_EMAIL,
        context={"admin_url": _admin_url(booking)},
        about=f"booking:{booking.id}",
    )


def address_corrected_letter(booking: Booking, *, recipient: str) -> Letter:
    """Tell the address that was a booking's, perhaps a stranger's, that it is no longer: without name or time."""
    return Letter(
        template="address_corrected",
        recipient=recipient,
        context={},
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def pending_letter(booking: Booking, *, now: datetime) -> Letter:
    """Say that the calendar takes longer and, where something was paid, that the money is here."""
    return Letter(
        template="pending",
        recipient=booking.customer_email,
        context={**_context(booking, now), "is_free": booking.payment is None},
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def reminder_letter(booking: Booking, *, now: datetime) -> Letter:
    """Remind of a session, with the way to be reminded no more (RFC 8058 for mail programs)."""
    stop_url = reminders_url(booking, now=now)
    return Letter(
        template="reminder",
        recipient=booking.customer_email,
        context={**_context(booking, now), "reminders_url": stop_url},
        about=f"booking:{booking.id}",
        locale=booking.locale,
        headers={"List-Unsubscribe": f"<{stop_url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def cancelled_letter(booking: Booking, *, now: datetime) -> Letter:
    """Say that it is cancelled and what goes back, with a calendar file that removes the entry."""
    refund = _refund_of_cancellation(booking)
    return Letter(
        template="cancelled",
        recipient=booking.customer_email,
        context={
            **_context(booking, now),
            "refund": refund.amount.text if refund else None,
            "waits_for_bank": refund is not None and is_disputed(refund.payment),
            "credit": credit_of(booking),
            "is_in_doubt": booking.findings.filter(
                kind=FindingKind.IN_DOUBT, calendar_state=AppointmentState.CANCELLED.value, settled_at=None
            ).exists(),
            "booking_url": settings.SITE_URL,
        },
        about=f"booking:{booking.id}",
        attachments=(Attachment("session.ics", calendar_file(booking, now=now), "text/calendar; method=CANCEL"),),
        locale=booking.locale,
    )


def _refund_of_cancellation(booking: Booking) -> Refund | None:
    """Find what goes back because it was cancelled: neither a gesture from before, nor what could not be sent.

    One that has left by now counts: where the gateway was quick, the mail must not keep silent about the money.
    """
    refunds = Refund.objects.filter(payment__bookings=booking, reason__in=FOR_CANCELLING)
    going = refunds.exclude(state=RefundState.FAILED).select_related("payment")
    return going.order_by("-requested_at").first()


def slot_lost_letter(booking: Booking, *, payment_id: UUID, now: datetime) -> Letter | None:
    """Say that the time is gone and the money is safe; None when it has bought another time or gone back meanwhile."""
    payment = Payment.objects.get(id=payment_id)
    if not is_unspent(payment):
        return None
    context = {
        **_context(booking, now),
        "why": _why_not_placed(booking, payment),
        "choose_again_url": choose_again_url(payment),
        "credit_until": credit_ends(payment),
    }
    return Letter(
        template="slot_lost",
        recipient=booking.customer_email,
        context=context,
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def call_lost_letter(booking: Booking, *, now: datetime) -> Letter | None:
    """Say that the time of a free call is gone; None when they have chosen another one by themselves."""
    calls = Booking.objects.occupying().filter(session_type=booking.session_type)
    if calls.filter(customer_email_hash__in=email_digests(booking.customer_email)).exists():
        return None
    return Letter(
        template="slot_lost",
        recipient=booking.customer_email,
        context={
            **_context(booking, now),
            "why": _why_rejected(booking),
            "choose_again_url": f"{settings.SITE_URL}/?session={booking.offer.code}",
            "credit_until": None,
        },
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def _why_not_placed(booking: Booking, payment: Payment) -> str:
    """Name what kept paid money from its time. That it was taken is said only where it was."""
    if payment.captured_at is not None and payment.captured_at >= booking.starts_at:
        return "passed"
    if booking.state == BookingState.CANCELLED:
        return "let_go"
    if booking.state != BookingState.REJECTED and not may_be_placed(booking):
        return "withdrawn"
    return _why_rejected(booking)


def _why_rejected(booking: Booking) -> str:
    is_late = booking.updated_at is not None and booking.updated_at >= booking.starts_at
    return "unconfirmed" if booking.state == BookingState.REJECTED and is_late else "taken"


def unplaced_letter(payment: Payment, *, is_ending: bool, now: datetime) -> Letter:
    """Offer another time for money without a session, to whom a booking or else the gateway names, if anybody.

    Raises ProviderError when the gateway has to be asked and does not answer.
    """
    booking = booking_paid_by(payment)
    return Letter(
        template="unplaced",
        recipient=booking.customer_email if booking else payer_email(payment=payment),
        context={
            "customer_first_name": booking.customer_first_name if booking else "",
            "amount": payment.captured,
            "choose_again_url": choose_again_url(payment),
            "credit_until": credit_ends(payment),
            "time_zone": practice_zone(),
            "is_ending": is_ending,
            "manage_url": manage_url(booking, now=now) if booking else None,
        },
        about=f"payment:{payment.id}",
        locale=booking.locale if booking else "en",
    )


def receipt_letter(booking: Booking, receipt: Receipt, *, now: datetime) -> Letter:
    """Hand over the receipt of what was paid."""
    return Letter(
        template="receipt",
        recipient=booking.customer_email,
        context={**_context(booking, now), "amount": receipt.amount.text, "number": receipt.number},
        about=f"payment:{receipt.payment_id}",
        attachments=(_attached(receipt),),
        locale=booking.locale,
    )


def refunded_letter(note: Receipt, *, now: datetime) -> Letter | None:
    """Say what went back; None when nobody here knows whose money it was, for then only the gateway can tell them."""
    payment = note.payment
    booking = booking_paid_by(payment)
    if booking is None:
        return None
    return Letter(
        template="refunded",
        recipient=booking.customer_email,
        context={
            **_context(booking, now),
            "amount": note.amount.text,
            "paid": payment.captured.text,
            "payment_id": payment.provider_payment_id,
            "reason": note.refund.reason if note.refund else "",
            "is_second": note.refund is not None and note.refund.reason in PAID_TWICE,
            "stands": booking.is_settled and booking.starts_at > now,
            "is_cancelled": booking.state == BookingState.CANCELLED,
        },
        about=f"payment:{payment.id}",
        attachments=(_attached(note),),
        locale=booking.locale,
    )


def _attached(receipt: Receipt) -> Attachment:
    return Attachment(f"{receipt.number}.pdf", receipt_pdf(receipt), "application/pdf")


def withdrawn_letter(consent: ConsentRecord, *, now: datetime) -> Letter:
    """Confirm to the client that their consent is withdrawn, and offer to cancel what is still booked."""
    appointments = [_context(booking, now) for booking in _ahead(consent, now)]
    return Letter(
        template="consent_withdrawn",
        recipient=_address_of(consent),
        context={
            "appointments": appointments,
            "time_zone": practice_zone(),
            "consent_url": consent_url(consent, now=now),
        },
        about=f"consent:{consent.id}",
        locale=consent.locale,
    )


def withdrawn_staff_letter(consent: ConsentRecord, *, now: datetime) -> Letter:
    """Tell the practice that a client has withdrawn; who it is, the admin says and the mail does not."""
    return Letter(
        template="consent_withdrawn_staff",
        recipient=settings.PRACTICE_EMAIL,
        context={
            "admin_url": _admin_url(consent),
            "booking_urls": [_admin_url(booking) for booking in _ahead(consent, now)],
        },
        about=f"consent:{consent.id}",
    )


def _address_of(consent: ConsentRecord) -> str:
    """Find where the person behind a consent is reached: what it names may be a stranger's mailbox, corrected since."""
    named = Booking.objects.filter(consent=consent).exclude(customer_email_hash="")
    corrected = named.exclude(customer_email_hash__in=email_digests(consent.email)).order_by("-created_at").first()
    return corrected.customer_email if corrected else consent.email


def _ahead(consent: ConsentRecord, now: datetime) -> QuerySet[Booking]:
    """Find the sessions that the person behind a consent still has before them."""
    theirs = Booking.objects.select_related("offer", "therapist").filter(
        customer_email_hash__in=email_digests(_address_of(consent))
    )
    return theirs.filter(state__in=(BookingState.PENDING, BookingState.CONFIRMED), starts_at__gt=now).order_by(
        "starts_at"
    )


def _admin_url(row: Model) -> str:
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return f"{settings.SITE_URL}{reverse(name, args=[row.pk])}"


def _zone_abroad(booking: Booking) -> ZoneInfo | None:
    """The client's time zone, where their clock shows another time than the practice's."""
    zone = zone_named(booking.time_zone)
    theirs, ours = (booking.starts_at.astimezone(each).utcoffset() for each in (zone, practice_zone()))
    return zone if theirs != ours else None


def _context(booking: Booking, now: datetime) -> dict[str, Any]:
    uid, abroad = booking.calcom_booking_id, _zone_abroad(booking)
    return {
        "customer_first_name": booking.customer_first_name,
        "session_title": booking.offer.title,
        "format_name": FORMAT_NAMES[SessionFormat(booking.session_format)],
        "therapist_name": booking.therapist.name,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "time_zone": practice_zone(),
        "client_zone": abroad,
        "client_zone_name": abroad and abroad.key.replace("_", " "),
        "duration_minutes": booking.offer.duration_minutes,
        "confirmation_url": calendar().page_url(uid) if uid else None,
        "manage_url": manage_url(booking, now=now),
        "consent_url": consent_url(booking.consent, now=now) if booking.consent else None,
    }
