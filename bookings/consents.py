"""Whether what a session needs is agreed to, as far as bookings know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Sum

from bookings.models import Booking
from bookings.states import BookingState
from consent.links import revokes_links
from consent.models import ConsentRecord
from consent.queries import is_standing, may_process
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.retention.models import Restriction

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

BOOKED = (BookingState.PENDING, BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW)


def acted_on() -> QuerySet[Booking, UUID]:
    """Find the consents on which something is booked: a hold, which costs nothing, is not enough."""
    return Booking.objects.filter(state__in=BOOKED, consent__isnull=False).values_list("consent_id", flat=True)


def may_be_placed(booking: Booking) -> bool:
    """Whether a hold that is paid may become a session: what it was held with stands, or something else since."""
    stands = booking.consent is not None and is_standing(booking.consent)
    return stands or may_process(email=booking.customer_email, acted_on=acted_on())


def may_be_written_to(booking: Booking) -> bool:
    """Whether its client may be: by the address of now or, where it was corrected, by the one they consented with.

    A corrected address that has acts of its own speaks for itself.
    """
    consent = booking.consent
    was_ended = consent is not None and not is_standing(consent)
    if may_process(email=booking.customer_email, acted_on=acted_on(), was_ended=was_ended):
        return True
    if consent is None or consent.email_hash in (digests := email_digests(booking.customer_email)):
        return False
    has_acts = ConsentRecord.objects.filter(email_hash__in=digests).exists()
    is_restricted = Restriction.objects.filter(person_hash__in=digests).exists()
    return not has_acts and not is_restricted and may_process(email=consent.email, acted_on=acted_on())


@revokes_links
def corrections(consent: ConsentRecord) -> int:
    """Count how often the links of the sessions that stand on a consent were revoked: those to it go with them."""
    standing = Booking.objects.filter(consent_id=consent.id)
    return int(standing.aggregate(times=Sum(F("link_version") - 1, default=0))["times"])
