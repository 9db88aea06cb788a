"""Nested errors become flat names and a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.api.field_errors import LONGEST_MESSAGE, flatten_errors, in_words, sentence_about

messages = st.lists(st.text(max_size=9), min_size=1, max_size=3)
details = st.recursive(
    messages,
    lambda inner: (
        st.dictionaries(st.text(max_size=9), inner, max_size=3)
        | st.lists(st.dictionaries(st.text(max_size=9), inner, max_size=2), max_size=2)
    ),
    max_leaves=8,
)


def test_nesting_becomes_dots() -> None:
    detail = {
        "customer": {"email": ["Wrong."], "non_field_errors": ["No object."]},
        "acknowledgments": {1: ["Empty."]},
        "people": [{}, {"name": ["Missing."]}],
        "non_field_errors": ["All wrong."],
    }

    assert flatten_errors(detail) == (
        {
            "customer.email": ["Wrong."],
            "customer": ["No object."],
            "acknowledgments.1": ["Empty."],
            "people.1.name": ["Missing."],
        },
        ["All wrong."],
    )


def test_a_message_that_repeats_the_input_is_cut() -> None:
    fields, _ = flatten_errors({"format": [f'"{"x" * 60_000}" is not a valid choice.']})

    assert len(fields["format"][0]) == LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("customer.email", "customer email"),
        ("sessionType", "session type"),
        ("razorpay_order_id", "razorpay order id"),
        ("acknowledgments.0", "acknowledgments 0"),
        ("OTP", "OTP"),
        ("", ""),
    ],
)
def test_names_are_said_in_words(name: str, words: str) -> None:
    assert in_words(name) == words


def test_a_sentence_lists_few_names_and_counts_the_rest() -> None:
    few = {name: ["No."] for name in ("a", "b")}
    many = {f"list.{number}": ["No."] for number in range(8)}

    assert sentence_about(few) == "Please check a and b. A: No."
    assert sentence_about(many) == ("Please check list 0, list 1, list 2, list 3, list 4 and 3 more. List 0: No.")


@given(details)
def test_no_detail_is_too_odd(detail: object) -> None:
    fields, general = flatten_errors(detail)

    assert all(isinstance(message, str) for said in [*fields.values(), general] for message in said)
    assert not fields or sentence_about(fields)
