"""A past such as ten years of practice leave, in bulk and really encrypted: to try purges and measure with.

Sessions of imagined people, each with its consent, its payment and the audit events of both.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models.expressions import DatabaseDefault

from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from consent.models import ConsentRecord
from consent.states import ConsentMethod
from mindfulqalb.audit.services import prepare
from mindfulqalb.encryption.blind_index import email_digest, phone_digest
from mindfulqalb.retention.timetable import rule_for
from payments.models import Payment
from payments.states import PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import Model

    from consent.models import ConsentDocument
    from mindfulqalb.audit.models import AuditEvent
    from mindfulqalb.catalogue.models import SessionOffer

CHUNK_SESSIONS = 1000
PAST = timedelta(days=3650)  # ten years
SESSIONS_EACH = 6
PRICE_MINOR = 129_900
FIRST_NAMES = ("Aarav", "Diya", "Esha", "Farhan", "Gita", "Imran", "Kavya", "Meera", "Nikhil", "Priya", "Rohan", "Zoya")
LAST_NAMES = ("Agarwal", "Bose", "Das", "Iyer", "Khan", "Mehta", "Nair", "Patel", "Rao", "Sharma", "Singh", "Thomas")
# How a hundred sessions end.
ENDINGS = {
    BookingState.COMPLETED: 80,
    BookingState.CANCELLED: 8,
    BookingState.NO_SHOW: 4,
    BookingState.EXPIRED: 8,
}


@dataclass(frozen=True)
class Session:
    """One session of the past: who, when and how it ended."""

    number: int
    starts_at: datetime
    name: str
    email: str
    state: BookingState

    @property
    def booked_at(self) -> datetime:
        """When it was agreed to, paid and booked."""
        return self.starts_at - timedelta(days=3)


def make_history(
    *, rows: int, offer: SessionOffer, document: ConsentDocument, now: datetime, past: timedelta = PAST, seed: int = 1
) -> Iterator[int]:
    """Make `rows` sessions, spread evenly over the past; yield how many there are after each committed chunk."""
    done = 0
    period = rule_for("consent").period
    sessions = _imagine(rows, past, now, random.Random(seed))  # noqa: S311  (a past, and no secret)
    while chunk := list(itertools.islice(sessions, CHUNK_SESSIONS)):
        with transaction.atomic():
            _write(chunk, offer, document, period)
        done += len(chunk)
        yield done


def _imagine(rows: int, past: timedelta, now: datetime, chance: random.Random) -> Iterator[Session]:
    states, weights = list(ENDINGS), list(ENDINGS.values())
    people = max(1, rows // SESSIONS_EACH)
    for number in range(rows):
        person = chance.randrange(people)
        first, last = FIRST_NAMES[person % len(FIRST_NAMES)], LAST_NAMES[person // 12 % len(LAST_NAMES)]
        yield Session(
            number=number,
            starts_at=now - past + past / rows * number,
            name=f"{first} {last}",
            email=f"{first}.{last}.{person}@example.com".lower(),
            state=chance.choices(states, weights)[0],
        )


def _write(chunk: list[Session], offer: SessionOffer, document: ConsentDocument, period: timedelta) -> None:
    consents = [_consent(session, offer, document, period) for session in chunk]
    payments = [_payment(session, offer) for session in chunk]
    bookings = [
        _booking(session, offer, consent, payment)
        for session, consent, payment in zip(chunk, consents, payments, strict=True)
    ]
    _copy(consents)
    _copy(payments)
    _copy(bookings)
    given = (_event("consent.given", f"consent:{row.id}", row.created_at, row) for row in consents)
    booked = (_event("booking.confirmed", f"booking:{row.id}", row.created_at) for row in bookings)
    _copy([*given, *booked])


def _copy(rows: Sequence[Model]) -> None:
    """Write new rows of one model by COPY: three times as fast as `bulk_create`, which spells every value in SQL."""
    meta = rows[0]._meta
    fields = [
        field
        for field in meta.concrete_fields
        if not (field.generated or isinstance(getattr(rows[0], field.attname), DatabaseDefault))
    ]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY {meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields])


def _consent(session: Session, offer: SessionOffer, document: ConsentDocument, period: timedelta) -> ConsentRecord:
    return ConsentRecord(
        session_type=offer.session_type,
        email=session.email,
        email_hash=email_digest(session.email),
        consent_version=document.version,
        acknowledgments=document.required_ids,
        document=document,
        document_sha256=document.sha256,
        ip_address="203.0.113.0",
        full_ip_address=f"203.0.113.{session.number % 250}",
        ip_address_source="peer",
        user_agent="Mozilla/5.0",
        method=ConsentMethod.CHECKBOX,
        created_at=session.booked_at,
        valid_until=session.booked_at + timedelta(days=365),
        expires_at=session.booked_at + period,
    )


def _payment(session: Session, offer: SessionOffer) -> Payment:
    is_paid = session.state != BookingState.EXPIRED
    payment = Payment(
        gateway="razorpay",
        state=PaymentState.EXPIRED,
        item=offer.code,
        amount_minor=PRICE_MINOR,
        currency="INR",
        expires_at=session.booked_at + timedelta(minutes=15),
        created_at=session.booked_at,
    )
    payment.provider_order_id = f"order_{payment.id.hex}"
    if is_paid:
        payment.state = PaymentState.CAPTURED
        payment.provider_payment_id = f"pay_{payment.id.hex}"
        payment.captured_amount_minor, payment.captured_currency = PRICE_MINOR, "INR"
        payment.captured_at = session.booked_at
    return payment


def _booking(session: Session, offer: SessionOffer, consent: ConsentRecord, payment: Payment) -> Booking:
    practice_time = local(session.starts_at)
    phone = f"+9198{session.number % 100_000_000:08}"
    booking = Booking(
        state=session.state,
        therapist_id=offer.therapist_id,
        offer=offer,
        session_type=offer.session_type,
        session_format=offer.format,
        session_date=practice_time.date(),
        session_time=practice_time.time(),
        starts_at=session.starts_at,
        ends_at=session.starts_at + timedelta(minutes=offer.duration_minutes),
        customer_name=session.name,
        customer_email=session.email,
        customer_phone=phone,
        customer_phone_hash=phone_digest(phone),
        customer_email_hash=consent.email_hash,
        consent=consent,
        calcom_booking_id=f"history-{session.number}",
        payment_id=payment.provider_payment_id,
        payment_status=payment.state.lower(),
        created_at=session.booked_at,
        updated_at=session.starts_at,
    )
    payment.reference = str(booking.id)
    return booking


def _event(action: str, target: str, at: datetime | None, row: ConsentRecord | None = None) -> AuditEvent:
    assert at is not None  # noqa: S101  (for the type checker: the specification's column is nullable)
    return prepare(action=action, actor="client", target=target, now=at, evidence=row)
