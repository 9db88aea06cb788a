"""Find what a caller means among what is sold."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils.translation import gettext as _

from mindfulqalb.api.errors import Refusal
from mindfulqalb.catalogue.models import CancellationRule, Price, SessionFormat, SessionOffer, SessionType

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet


class UnknownSession(Refusal):
    """No such session is on sale."""

    code = "unknown_session"
    status = 400
    sentence = "We do not offer such a session. Please choose one from the list."


class NotSoldInCurrency(Refusal):
    """The session has no price in that currency."""

    code = "unknown_currency"
    status = 400
    sentence = "This session cannot be paid in that currency."


class NothingToPay(Refusal):
    """A payment was asked for a free session."""

    code = "nothing_to_pay"
    status = 400
    sentence = "This session is free: there is nothing to pay."


def active_offers() -> QuerySet[SessionOffer]:
    """All that is on sale, in the booking page's order, with prices; without one only what is free."""
    priced = Exists(Price.objects.filter(offer=OuterRef("pk")))
    return (
        SessionOffer.objects.filter(Q(session_type=SessionType.FREE) | priced)
        .filter(is_active=True, therapist__is_active=True)
        .select_related("therapist")
        .prefetch_related(Prefetch("prices", Price.objects.order_by("currency")))
        .order_by("position", "session_type", "format")
    )


def find_offer(*, session_type: str, session_format: str | None = None, is_paid_for: bool = False) -> SessionOffer:
    """Find the offer that a caller names.

    `session_type` may be `individual`, `individual-video`, or, from the present front end, a bare format (`video` means
    `individual-video`); a type without format means the type's default offer, and `session_format` counts only where
    the name itself says none. What is paid for is found also when it is not sold any more. Raises UnknownSession naming
    the field.
    """
    kind, wanted = _split(session_type, session_format)
    format_field = "format" if session_format and kind == session_type else "sessionType"
    if kind not in SessionType.values:
        sentence = _("Unknown session type. Choose from %(names)s.") % {"names": _listed(SessionType.values)}
        raise UnknownSession(fields={"sessionType": [sentence]})
    if wanted is not None and wanted not in SessionFormat.values:
        sentence = _("Unknown format. Choose from %(names)s.") % {"names": _listed(SessionFormat.values)}
        raise UnknownSession(fields={format_field: [sentence]})
    offers = SessionOffer.objects.filter(therapist__is_active=True, session_type=kind)
    if not is_paid_for:
        offers = offers.filter(is_active=True)
    # The free call has one format; naming another one is no reason to send a client away.
    narrowed = (
        offers
        if kind == SessionType.FREE
        else offers.filter(**({"format": wanted} if wanted else {"is_default": True}))
    )
    offer = narrowed.select_related("therapist").order_by("-is_active", "position").first()
    if offer is None:
        raise UnknownSession(fields={format_field: ["This session is not offered in that format."]})
    return offer


def price_of(*, offer: SessionOffer, currency: str) -> Price:
    """Read the one true price. Raises NothingToPay or NotSoldInCurrency."""
    if offer.is_free:
        raise NothingToPay(fields={"sessionType": ["This session is free."]})
    price = Price.objects.filter(offer=offer, currency=currency).first()
    if price is None:
        sentence = _("No price in %(currency)s.") % {"currency": currency}
        raise NotSoldInCurrency(fields={"currency": [sentence]})
    return price


def prices_asked(*, code: str, currency: str) -> set[int]:
    """Read what an offer costs now, in minor units, by its code; nothing where it is sold in that currency no more."""
    kind, _dash, its_format = code.partition("-")
    asked = Price.objects.filter(offer__session_type=kind, offer__format=its_format, currency=currency)
    return set(asked.values_list("amount_minor", flat=True))


def event_type_of(offer: SessionOffer) -> str:
    """Name the calendar's event type: the offer's own, else the settings' by code, else by type; else ""."""
    configured = settings.CALCOM_EVENT_TYPE_IDS
    return offer.calendar_event_type or str(configured.get(offer.code) or configured.get(offer.session_type) or "")


def refund_percent(*, notice: timedelta) -> int:
    """Read how much of the price goes back when a client cancels with this notice; nothing once it began."""
    if notice <= timedelta(0):
        return 0
    reached = CancellationRule.objects.filter(hours_before__lte=notice // timedelta(hours=1))
    rule = reached.order_by("-hours_before").first()
    return rule.refund_percent if rule else 0


def event_types_sold() -> set[str]:
    """Name every event type that offers of ours stand for, those that are not on sale any more included."""
    return {event_type for offer in SessionOffer.objects.all() if (event_type := event_type_of(offer))}


def event_types_of(therapist_id: UUID) -> list[str]:
    """Name a therapist's event types: they share one calendar, so an appointment in one closes times in the others."""
    offers = SessionOffer.objects.filter(therapist_id=therapist_id)
    return sorted({event_type for offer in offers if (event_type := event_type_of(offer))})


def is_event_type_of_another(offer: SessionOffer) -> bool:
    """Tell whether another therapist's offer uses the same event type, named in the offer or by the settings."""
    event_type = event_type_of(offer)
    others = SessionOffer.objects.exclude(therapist_id=offer.therapist_id).exclude(id=offer.id)
    return bool(event_type) and any(event_type_of(other) == event_type for other in others)


def event_types_on_sale() -> list[str]:
    """Name the event types of all that is on sale."""
    return sorted({event_type for offer in active_offers() if (event_type := event_type_of(offer))})


def _split(session_type: str, session_format: str | None) -> tuple[str, str | None]:
    if session_type in SessionFormat.values:
        return SessionType.INDIVIDUAL, session_type
    kind, _, suffix = session_type.partition("-")
    return kind, suffix or session_format or None


def _listed(values: list[str]) -> str:
    return ", ".join(values)
