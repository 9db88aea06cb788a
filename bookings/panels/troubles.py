"""What about sessions needs a person, and whether the calendar is heard."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

from bookings.consents import acted_on
from bookings.health import SILENT_FOR
from bookings.ledger import Account
from bookings.models import Booking, CalendarCursor, CalendarFinding, FindingKind, LedgerEntry
from bookings.services.unplaced import waiting_payments
from bookings.states import BookingState
from consent.models import ConsentRecord
from consent.states import GIVING, ConsentEvent
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.staff.desk.items import Sign, Task, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.signs import Round

# A calendar that answers has confirmed long before; also the time that a hold lasts lies within.
UNCONFIRMED_FOR = timedelta(minutes=30)
MOST_NAMED = 50
FINDING_ADVICE = {
    FindingKind.UNKNOWN: "Booked in Cal.com itself: let the client book here, or leave it if it is private.",
    FindingKind.MISSING: "Ask the therapist: put it back into the calendar, or cancel it here.",
    FindingKind.IN_DOUBT: "Ask the therapist. If it was the practice: Give the rest. The client: settle it by hand.",
    FindingKind.CONFLICT: "Ask the therapist which time counts. Ours: Put back. Theirs: move what is in its way.",
}


@panel(Area.TASKS, "bookings.view_booking")
def unlinked_account(viewer: Viewer) -> list[Task]:
    """A therapist's account that no therapist names: until then all of its pages are empty."""
    sees_all = viewer.member.has_perm("catalogue.see_every_therapist")
    is_linked = sees_all or Therapist.objects.filter(member=viewer.member).exists()
    advice = "No therapist names your account, so you see no session. An administrator chooses it under Therapists."
    return [Task("Account without a therapist", 0 if is_linked else 1, advice, list_url(Booking))]


@panel(Area.TASKS, "bookings.view_booking")
def unconfirmed(viewer: Viewer) -> list[Task]:
    """Sessions that the calendar does not confirm."""
    before = (viewer.now - UNCONFIRMED_FOR).replace(microsecond=0)
    mine = Booking.objects.visible_to(viewer.member).filter(state=BookingState.PENDING, created_at__lt=before)
    advice = "They keep their hour and are tried again by themselves. Tell the client that the confirmation is late."
    url = list_url(Booking, state__exact=BookingState.PENDING, created_at__lt=before.isoformat())
    return [Task("Sessions that the calendar has not confirmed", mine.count(), advice, url)]


@panel(Area.TASKS, "bookings.view_booking")
def without_consent(viewer: Viewer) -> list[Task]:
    """Sessions to come whose client took their consent back, and has booked nothing since with a new one."""
    coming = Booking.objects.visible_to(viewer.member).filter(
        state__in=[BookingState.PENDING, BookingState.CONFIRMED], starts_at__gte=viewer.now
    )
    anew = ConsentRecord.objects.filter(
        email_hash=OuterRef("consent__email_hash"),
        event__in=GIVING,
        created_at__gt=OuterRef("consent__later_acts__created_at"),
        id__in=acted_on(),
    ).exclude(later_acts__event=ConsentEvent.WITHDRAWN)
    withdrawn = coming.filter(~Exists(anew), consent__later_acts__event=ConsentEvent.WITHDRAWN)
    ids = list(withdrawn.order_by("starts_at").values_list("id", flat=True)[:MOST_NAMED])
    advice = "Speak with the client: what they agree to anew counts once they book with it; else cancel it."
    url = list_url(Booking, id__in=",".join(str(each) for each in ids))
    return [Task("Sessions to come without consent", len(ids), advice, url)]


@panel(Area.TASKS, "bookings.view_calendarfinding", "catalogue.see_every_therapist")
def open_findings(_viewer: Viewer) -> list[Task]:
    """Where the calendar and we do not agree."""
    counts = CalendarFinding.objects.filter(settled_at=None).aggregate(
        **{kind: Count("id", filter=Q(kind=kind)) for kind in FindingKind}
    )
    return [
        Task(
            f"Calendar: {kind.label.lower()}",
            counts[kind],
            FINDING_ADVICE[kind],
            list_url(CalendarFinding, kind__exact=kind, settled_at__isempty=1),
        )
        for kind in FindingKind
    ]


@panel(Area.TASKS, "bookings.view_ledgerentry")
def unplaced(viewer: Viewer) -> list[Task]:
    """Money that came and has no session."""
    count = waiting_payments(now=viewer.now).count()
    advice = f"The client may choose another time; after {settings.PAYMENT_CREDIT_HOURS} hours it goes back by itself."
    return [Task("Paid, and without a session", count, advice, list_url(LedgerEntry, account=Account.CREDITED))]


@panel(Area.HEALTH, "bookings.view_calendarfinding")
def calendar_heard(viewer: Viewer) -> list[Sign]:
    """When the calendar was last read."""
    cursor = CalendarCursor.objects.filter(name=CalendarCursor.CHANGES).first()
    read_at = cursor.asked_at if cursor else None
    return [Round("Calendar last read", SILENT_FOR, list_url(CalendarFinding)).sign(read_at, now=viewer.now)]
