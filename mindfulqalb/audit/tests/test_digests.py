"""The forms that years-old exports depend on: pinned to the letter."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindfulqalb.audit.digests import GENESIS, canonical, chain_digest, salted_digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


def test_canonical_form_is_sorted_without_spaces_and_ascii() -> None:
    value = {"b": [1, None, True], "a": "नमस्ते", "ä": {"y": 1, "x": 2}}

    assert canonical(value) == (
        rb'{"a":"\u0928\u092e\u0938\u094d\u0924\u0947","b":[1,null,true],"\u00e4":{"x":2,"y":1}}'
    )


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (datetime(2026, 12, 1, 6, tzinfo=UTC), b'"2026-12-01T06:00:00.000000+00:00"'),
        (datetime(2026, 12, 1, 11, 30, tzinfo=timezone(timedelta(hours=5.5))), b'"2026-12-01T06:00:00.000000+00:00"'),
        (UUID("11111111-2222-4333-8444-555555555555"), b'"11111111-2222-4333-8444-555555555555"'),
        (b"\x00\xff", b'"00ff"'),
        (memoryview(b"\x01"), b'"01"'),
    ],
)
def test_canonical_form_spells_times_ids_and_bytes(value: Any, form: bytes) -> None:
    assert canonical(value) == form


@pytest.mark.parametrize("value", [1.5, [1.0], {"a": {"b": 2.0}}, {1, 2}, object()])
def test_canonical_form_refuses_what_has_none(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_different_values_have_different_forms(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == (repr_sorted(one) == repr_sorted(other))


def repr_sorted(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{key!r}:{repr_sorted(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(repr_sorted(part) for part in value) + "]"
    return repr(value)


def test_salted_digest_is_of_salt_and_form() -> None:
    assert salted_digest(b"salt", {"a": 1}) == hashlib.sha256(b'salt{"a":1}').hexdigest()


def test_chain_digest_is_of_place_past_and_head() -> None:
    head = "a" * 64

    assert chain_digest(7, GENESIS, head) == hashlib.sha256(f"7 {'0' * 64} {head}".encode()).hexdigest()
