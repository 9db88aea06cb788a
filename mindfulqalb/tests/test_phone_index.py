"""Phones that were kept before they could be searched for get their digests, whatever interrupts that."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from bookings.models import Booking
from bookings.services.booking import book_session
from bookings.states import BookingState
from bookings.tests.builders import JANE, make_booking, make_catalogue, make_payment, make_wish
from mindfulqalb.encryption.blind_index import phone_digest
from mindfulqalb.encryption.phone_index import Chunk, IndexedPhone, index_chunk, indexed_phones
from mindfulqalb.encryption.rotation import reencrypt
from mindfulqalb.encryption.tasks import index_phones_task
from mindfulqalb.encryption.tests.keys import NEW_KEY, make_key
from mindfulqalb.subject_requests.answers import Particulars
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.services import receive_request

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
SESSIONS = IndexedPhone(Booking, "customer_phone", "customer_phone_hash")


def _make(**overrides: Any) -> Booking:
    """A session as the version before this one has left it."""
    return make_booking(state=BookingState.CANCELLED, **{"customer_phone_hash": "", **overrides})


def _digests() -> list[str]:
    return sorted(Booking.objects.values_list("customer_phone_hash", flat=True))


def _run(**options: object) -> list[str]:
    out = StringIO()
    call_command("index_phones", stdout=out, **options)
    return out.getvalue().splitlines()


def test_every_phone_that_is_kept_is_indexed() -> None:
    assert indexed_phones() == [IndexedPhone(SubjectRequest, "person_phone", "person_phone_hash"), SESSIONS]


def test_command_indexes_chunk_by_chunk_and_then_finds_nothing_more() -> None:
    for _ in range(3):
        _make()
    _make(customer_phone=None)

    first, second = _run(chunk=2), _run(chunk=2)

    assert first == ["2 of 3 phones indexed", "3 of 3 phones indexed", "3 phones indexed; every phone can be found"]
    assert second == ["0 phones indexed; every phone can be found"]
    assert _digests() == ["", *[phone_digest(JANE.phone)] * 3]


def test_index_goes_on_where_it_was_cut_off() -> None:
    for _ in range(3):
        _make()

    chunks = [index_chunk(SESSIONS, chunk_rows=2)]
    left = _digests().count("")
    index_phones_task()

    assert ([chunk.indexed_rows for chunk in chunks], left, _digests().count("")) == ([2], 1, 0)


def test_phone_that_cannot_be_opened_stops_no_other_and_is_named() -> None:
    broken, whole = _make(), _make()
    Booking.objects.filter(id=broken.id).update(
        customer_phone=Booking.objects.get(id=whole.id).__dict__["customer_phone"]
    )

    with pytest.raises(CommandError, match="1 phones indexed, 1 cannot be opened"):
        _run(chunk=1)

    assert _digests() == ["", phone_digest(JANE.phone)]


def test_index_under_a_new_key_is_written_anew_when_asked_for(settings: Settings) -> None:
    booking = _make()
    _run()
    settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_KEY_FALLBACKS = make_key("next index"), [settings.BLIND_INDEX_KEY]

    assert _run() == ["0 phones indexed; every phone can be found"]
    assert _run(anew=True)[-1] == "1 phones indexed; every phone can be found"

    booking.refresh_from_db()
    assert booking.customer_phone_hash == phone_digest(JANE.phone)


@pytest.mark.django_db(transaction=True)
def test_moving_phones_to_a_new_encryption_key_leaves_their_digests(settings: Settings) -> None:
    booking = make_booking(state=BookingState.CANCELLED)
    settings.ENCRYPTION_KEY, settings.ENCRYPTION_KEY_FALLBACKS = NEW_KEY, [settings.ENCRYPTION_KEY]

    moved = sum(chunk.moved_rows for chunk in reencrypt(now=NOW))

    booking = Booking.objects.get(id=booking.id)
    assert (moved > 0, booking.customer_phone, booking.customer_phone_hash) == (
        True,
        JANE.phone,
        phone_digest(JANE.phone),
    )


def test_session_is_indexed_from_its_first_moment(now: datetime) -> None:
    make_catalogue()
    payment = make_payment()

    booking = book_session(wish=make_wish(), payment_id=payment.provider_payment_id, now=now)

    booking.refresh_from_db()
    assert booking.customer_phone_hash == phone_digest(JANE.phone)


def test_request_is_indexed_by_the_phone_that_it_names() -> None:
    request = receive_request(
        kind="nomination",
        email=JANE.email,
        wish="",
        actor="staff:1",
        now=NOW,
        particulars=Particulars(name="John", phone="98765 43211"),
    )

    assert request.person_phone_hash == phone_digest("+919876543211")


def test_empty_table_is_one_empty_chunk() -> None:
    assert index_chunk(SESSIONS) == Chunk(0, (), None)
