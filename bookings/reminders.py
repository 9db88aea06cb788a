"""When a client is reminded of a session, and whether they want to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from bookings.consents import may_be_written_to
from bookings.models import ReminderRefusal
from bookings.practice_time import zone_named
from bookings.states import BookingState, ReminderKind
from mindfulqalb.encryption.blind_index import email_digests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from bookings.models import Booking, Reminder


@dataclass(frozen=True)
class Rule:
    """`before` the session, no later than `patience` after that, and only if the last news of it is `rest` old then."""

    before: timedelta
    patience: timedelta
    rest: timedelta


RULES = {
    ReminderKind.DAY: Rule(timedelta(hours=24), timedelta(hours=6), rest=timedelta(hours=6)),
    # At night as well: who chose an early hour needs it then.
    ReminderKind.HOUR: Rule(timedelta(hours=1), timedelta(minutes=45), rest=timedelta(hours=1)),
}
LONGEST_AHEAD = timedelta(hours=48)
# A reminder that would fall into the night goes this long before it begins.
EVENING = timedelta(hours=1)


def sending_time(kind: ReminderKind, starts_at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when until when a reminder is of use and disturbs nobody in this zone."""
    rule = RULES[kind]
    due = starts_at - rule.before
    if kind == ReminderKind.HOUR:
        return due, due + rule.patience
    night = _night_of(due, zone)
    if due >= night:
        return night - EVENING, night
    return due, min(due + rule.patience, night)


def due_kinds(booking: Booking, *, now: datetime) -> Iterator[ReminderKind]:
    """Which reminders are to go now; not those on whose heels the client has just had news of this session."""
    for kind, rule in RULES.items():
        begins, ends = sending_time(kind, booking.starts_at, zone_named(booking.time_zone))
        last_news = booking.updated_at or booking.created_at or now
        if begins <= now < ends and begins - last_news >= rule.rest:
            yield kind


def is_wanted(booking: Booking) -> bool:
    """Whether this client may be reminded of this session: it stands, and they neither stopped nor withdrew it."""
    stands = booking.state == BookingState.CONFIRMED
    return stands and not has_stopped(booking) and may_be_written_to(booking)


def may_still_go(reminder: Reminder, *, now: datetime) -> bool:
    """Whether a reminder that was put down is still true and in time."""
    booking = reminder.booking
    _, ends = sending_time(
        ReminderKind(reminder.kind), reminder.session_starts_at, zone_named(reminder.booking.time_zone)
    )
    return booking.starts_at == reminder.session_starts_at and now < ends and is_wanted(booking)


def has_stopped(booking: Booking) -> bool:
    """Whether this client wants no reminders of anything."""
    return ReminderRefusal.objects.filter(email_hash__in=email_digests(booking.customer_email)).exists()


def _night_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the night begins that `moment` lies in or before, where the client is."""
    here = moment.astimezone(zone)
    evening = datetime.combine(here.date(), time(settings.QUIET_FROM_HOUR), tzinfo=zone)
    return evening - timedelta(days=1) if here.hour < settings.QUIET_UNTIL_HOUR else evening
