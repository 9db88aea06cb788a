"""Every id has one spelling."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.api.public_ids import BOOKING, CONSENT, UnknownId

ROW_ID = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")
SPELLED = "booking_aaaqeayeaudaocajbifqydiob4"


def test_an_id_is_spelt_as_the_contract_does() -> None:
    assert BOOKING.encode(ROW_ID) == SPELLED
    assert CONSENT.encode(ROW_ID) == SPELLED.replace("booking", "consent")


@given(st.uuids())
def test_an_id_is_read_back(row_id: UUID) -> None:
    spelled = BOOKING.encode(row_id)

    assert BOOKING.decode(spelled) == row_id
    assert re.fullmatch("booking_[a-z2-7]{26}", spelled)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "booking_",
        "booking",
        SPELLED.upper(),
        SPELLED.replace("booking", "Booking"),
        SPELLED.replace("booking", "consent"),
        SPELLED.removeprefix("booking_"),
        f"booking{SPELLED.removeprefix('booking_')}",
        f"{SPELLED}a",
        SPELLED[:-1],
        f"{SPELLED}======",
        f"{SPELLED}\n",
        f" {SPELLED}",
        f"{SPELLED[:-1]}5",  # the same 128 bits, other trailing ones
        f"{SPELLED[:-1]}1",  # not in the alphabet
        f"{SPELLED[:-1]}\u0662",
        f"booking_{ROW_ID}",
        "booking_\x00" + "a" * 25,
    ],
)
def test_another_spelling_is_no_id(text: str) -> None:
    with pytest.raises(UnknownId) as caught:
        BOOKING.decode(text)

    assert (caught.value.status, caught.value.code) == (404, "unknown_id")


@given(st.text() | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26).map("booking_{}".format))
def test_what_can_be_read_is_spelt_the_same(text: str) -> None:
    try:
        row_id = BOOKING.decode(text)
    except UnknownId:
        return
    assert BOOKING.encode(row_id) == text
