from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.encryption.keyring import KeyringError, keyring
from mindfulqalb.encryption.tests.keys import LOST_KEY, NEW_KEY, OLD_KEY, use_keys
from mindfulqalb.encryption.tokens import CannotOpen, Reason, Sealed, bound_data, is_token, open_, seal

if TYPE_CHECKING:
    from pytest_django import Settings

LABEL, ROW = "notebook.body", "c49f0390-d92e-405b-a15f-0deaf2afb9a3"
SECRET = "told in confidence"


def reason_of(token: bytes, *, label: str = LABEL, row: str = ROW) -> Reason:
    """Open what must not open."""
    with pytest.raises(CannotOpen) as caught:
        open_(token, label=label, row=row)
    assert SECRET not in str(caught.value)
    return caught.value.reason


@given(text=st.text())
def test_open_returns_what_was_sealed(text: str) -> None:
    assert open_(seal(text, label=LABEL, row=ROW), label=LABEL, row=ROW) == text


@pytest.mark.parametrize("text", ["", "\x00", "\x80\x00", "a\x00\x00", "नमस्ते", "👩‍👩‍👧", "x" * 1_000_000])
def test_open_returns_awkward_texts(text: str) -> None:
    assert open_(seal(text, label=LABEL, row=ROW), label=LABEL, row=ROW) == text


def test_token_starts_with_version_and_key_id() -> None:
    assert seal(SECRET, label=LABEL, row=ROW)[:5] == b"\x01" + keyring().writing


def test_token_differs_each_time() -> None:
    assert seal(SECRET, label=LABEL, row=ROW) != seal(SECRET, label=LABEL, row=ROW)


def test_token_length_does_not_tell_short_texts_apart() -> None:
    lengths = [len(seal("x" * count, label=LABEL, row=ROW)) for count in (0, 3, 9, 31, 32, 63, 64)]

    assert lengths == [65, 65, 65, 65, 97, 97, 129]


def test_token_altered_at_any_byte_does_not_open() -> None:
    token = seal(SECRET, label=LABEL, row=ROW)
    altered = [token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :] for place in range(len(token))]

    assert [reason_of(forged) for forged in altered] == [
        Reason.NOT_SEALED,
        *[Reason.UNKNOWN_KEY] * 4,
        *[Reason.ALTERED] * (len(token) - 5),
    ]


@pytest.mark.parametrize("cut", [1, 16, 32])
def test_token_cut_short_does_not_open(cut: int) -> None:
    long_enough = seal("x" * 40, label=LABEL, row=ROW)

    assert reason_of(long_enough[:-cut]) == Reason.ALTERED
    assert reason_of(seal("x", label=LABEL, row=ROW)[:-cut]) == Reason.NOT_SEALED


@pytest.mark.parametrize("planted", [b"", b"\x01", SECRET.encode(), b"\x02" + bytes(80)])
def test_planted_plaintext_is_not_taken_for_a_value(planted: bytes) -> None:
    assert not is_token(planted)
    assert reason_of(planted) == Reason.NOT_SEALED


def test_token_moved_to_another_row_or_column_does_not_open() -> None:
    token = seal(SECRET, label=LABEL, row=ROW)

    assert reason_of(token, row=ROW[::-1]) == Reason.ALTERED
    assert reason_of(token, label="notebook.remark") == Reason.ALTERED


@given(place=st.tuples(st.text(), st.text()), other=st.tuples(st.text(), st.text()))
def test_no_two_places_have_the_same_bound_data(place: tuple[str, str], other: tuple[str, str]) -> None:
    assert (bound_data(*place) == bound_data(*other)) == (place == other)


def test_bound_data_does_not_run_label_and_row_together() -> None:
    assert bound_data("notebook.body1", "23") != bound_data("notebook.body", "123")


def test_token_under_a_key_that_is_gone_says_so(settings: Settings) -> None:
    use_keys(settings, LOST_KEY)
    token = seal(SECRET, label=LABEL, row=ROW)
    use_keys(settings, NEW_KEY, OLD_KEY)

    assert reason_of(token) == Reason.UNKNOWN_KEY


def test_token_relabeled_with_another_key_id_does_not_open(settings: Settings) -> None:
    token = seal(SECRET, label=LABEL, row=ROW)
    use_keys(settings, NEW_KEY, OLD_KEY)

    assert reason_of(token[:1] + keyring().writing + token[5:]) == Reason.ALTERED


def test_open_reads_a_token_under_a_fallback(settings: Settings) -> None:
    token = seal(SECRET, label=LABEL, row=ROW)
    use_keys(settings, NEW_KEY, OLD_KEY)

    assert open_(token, label=LABEL, row=ROW) == SECRET


def test_seal_without_a_key_seals_nothing(settings: Settings) -> None:
    settings.ENCRYPTION_KEY = ""

    with pytest.raises(KeyringError):
        seal(SECRET, label=LABEL, row=ROW)


def test_seal_refuses_half_a_surrogate_pair_without_showing_the_text() -> None:
    with pytest.raises(ValueError, match="surrogate") as caught:
        seal(f"{SECRET}\ud800", label=LABEL, row=ROW)

    assert str(caught.value) == "notebook.body: the text holds half a surrogate pair and cannot be stored"
    assert caught.value.__suppress_context__


def test_cannot_open_names_label_row_and_reason() -> None:
    error = CannotOpen(Reason.ALTERED, LABEL, ROW)

    assert str(error) == (
        f"notebook.body of row {ROW} cannot be opened: it was altered, or moved here from another row or column"
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_sealed_opens_as_a_value_of_the_row_that_it_was_read_for() -> None:
    value = Sealed(seal(SECRET, label=LABEL, row=ROW), LABEL)

    assert value.bound_to(ROW).open() == SECRET
    assert value.bound_to(ROW).bound_to("another").open() == SECRET
    assert reason_of(value.token, row="another") == Reason.ALTERED
    with pytest.raises(CannotOpen):
        value.open()


def test_sealed_survives_copying_and_pickling_and_shows_nothing() -> None:
    value = Sealed(seal(SECRET, label=LABEL, row=ROW), LABEL, ROW)

    assert copy.deepcopy(value) == value
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301
    assert repr(value) == f"Sealed(label='notebook.body', row='{ROW}')"
