"""Find documents and records, and say what has become of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.fields import CharField

from consent.models import ConsentDocument, ConsentRecord
from consent.states import GIVING, ConsentEvent, ConsentState, DocumentKind
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.retention.models import Restriction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django_stubs_ext import WithAnnotations

    class _State(TypedDict):
        state: str

    RecordWithState = WithAnnotations[ConsentRecord, _State]


def current_document(
    *, locale: str, now: datetime, kind: str = DocumentKind.INFORMED_CONSENT
) -> ConsentDocument | None:
    """Find the text to show now: the newest of its kind in English, or its translation where `locale` has one."""
    newest = newest_document(kind=kind, now=now)
    return newest and published_document(kind=kind, version=newest.version, locale=locale, now=now)


def newest_document(*, kind: str, now: datetime) -> ConsentDocument | None:
    """Find the newest published text of a kind, in English."""
    return _published(kind, now).filter(locale="en").order_by("-published_at", "-version").first()


def published_document(
    *, version: str, locale: str, now: datetime, kind: str = DocumentKind.INFORMED_CONSENT
) -> ConsentDocument | None:
    """Find one version of a text, in `locale` where it has been translated, else in English."""
    known = _published(kind, now).filter(version=version)
    return known.filter(locale=locale).first() or known.filter(locale="en").first()


def original_of(translation: ConsentDocument, *, now: datetime) -> ConsentDocument | None:
    """Find the English text that a translation belongs to."""
    return _published(translation.kind, now).filter(version=translation.version, locale="en").first()


def with_state(*, now: datetime, records: QuerySet[ConsentRecord] | None = None) -> QuerySet[RecordWithState]:
    """Annotate rows that gave consent with their `state` at `now`."""
    rows = ConsentRecord.objects.filter(event__in=GIVING) if records is None else records
    return rows.annotate(
        state=Case(
            When(is_flagged=True, then=Value(ConsentState.FLAGGED.value)),
            When(_closed_by(ConsentEvent.WITHDRAWN), then=Value(ConsentState.WITHDRAWN.value)),
            When(valid_until__lte=now, then=Value(ConsentState.EXPIRED.value)),
            When(_closed_by(ConsentEvent.SUPERSEDED), then=Value(ConsentState.SUPERSEDED.value)),
            default=Value(ConsentState.VALID.value),
            output_field=CharField(),
        )
    )


def newest_valid_record(*, email: str, session_type: str, now: datetime) -> ConsentRecord | None:
    """Find the newest record that covers a booking of this type by this email."""
    return (
        with_state(now=now, records=_given(email, DocumentKind.INFORMED_CONSENT))
        .filter(session_type=session_type, state=ConsentState.VALID)
        .order_by("-created_at")
        .first()
    )


def unwithdrawn(*, email_hashes: Iterable[str]) -> QuerySet[ConsentRecord]:
    """Find all that a person has given and never withdrawn, of every kind, whether its time is over or not."""
    given = ConsentRecord.objects.filter(event__in=GIVING, email_hash__in=email_hashes)
    return given.exclude(_closed_by(ConsentEvent.WITHDRAWN)).order_by("created_at", "id")


def may_process(
    *,
    email: str,
    acted_on: QuerySet[Any] | None = None,
    was_ended: bool = False,
    kind: str = DocumentKind.INFORMED_CONSENT,
) -> bool:
    """Whether a person's data may go on being used for what a kind of document is about: reminders, for instance.

    A withdrawal ends all that was given before it, and a request to be erased likewise. After either, or where
    `was_ended` says that there was one under an earlier address, only a consent among `acted_on` allows it again: the
    ids of those on which something was booked since. Anybody who knows an address can say that it agrees. That the time
    of a consent for new bookings is over stops nothing that was booked before.
    """
    digests = email_digests(email)
    restrictions = Restriction.objects.filter(person_hash__in=digests)
    withdrawals = ConsentRecord.objects.filter(email_hash__in=digests, event=ConsentEvent.WITHDRAWN)
    given = unwithdrawn(email_hashes=digests).filter(kind=kind, is_flagged=False)
    allowing = given.exclude(Exists(restrictions.filter(since__gte=OuterRef("created_at"))))
    counts = Q(pk__in=[] if acted_on is None else acted_on)
    if not was_ended:
        counts |= ~Exists(restrictions) & ~Exists(withdrawals)
    return allowing.filter(counts).exists()


def is_standing(consent: ConsentRecord) -> bool:
    """Whether this very consent is neither withdrawn nor given before its person asked to be erased."""
    digests = email_digests(consent.email)
    own = unwithdrawn(email_hashes=digests).filter(id=consent.id, is_flagged=False)
    since = Restriction.objects.filter(person_hash__in=digests, since__gte=OuterRef("created_at"))
    return own.exclude(Exists(since)).exists()


def acts_of(record: ConsentRecord) -> QuerySet[ConsentRecord]:
    """List what was done about one consent: the act itself, its parts, and whatever closed any of them, by time."""
    about = ConsentRecord.objects.filter(Q(id=record.id) | Q(part_of=record.id))
    closing = ConsentRecord.objects.filter(refers_to__in=about.values("id")).exclude(event__in=GIVING)
    acts = (about | closing).select_related("document", "notice").distinct()
    return acts.order_by("created_at", F("part_of").asc(nulls_first=True), "kind", "id")


def _closed_by(event: ConsentEvent) -> Exists:
    return Exists(ConsentRecord.objects.filter(refers_to=OuterRef("pk"), event=event))


def _given(email: str, kind: str) -> QuerySet[ConsentRecord]:
    return ConsentRecord.objects.filter(email_hash__in=email_digests(email), event__in=GIVING, kind=kind)


def _published(kind: str, now: datetime) -> QuerySet[ConsentDocument]:
    return ConsentDocument.objects.filter(kind=kind, published_at__lte=now)
