from __future__ import annotations

import pytest

from mindfulqalb.staff.masking import mask_address, mask_email, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [("Jane Doe", "J… D…"), ("Jane", "J…"), ("  आशा  राव ", "आ… र…"), ("", ""), ("J", "J…")],
)
def test_name_is_masked_word_by_word(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("jane@example.com", "j…@e….com"),
        ("j@mail.example.co.in", "j…@m….in"),
        ("jane@localhost", "j…@l…"),
        ('"a@b"@example.org', '"…@e….org'),
        ("no address", "n…"),
        ("", ""),
    ],
)
def test_email_keeps_its_first_letters_and_its_ending(email: str, masked: str) -> None:
    assert mask_email(email) == masked


@pytest.mark.parametrize(("phone", "masked"), [("+919876543210", "…10"), ("", "")])
def test_phone_keeps_its_last_digits(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


def test_address_keeps_next_to_nothing() -> None:
    assert (mask_address("203.0.113.77"), mask_address("2001:db8::1"), mask_address("")) == ("2…", "2…", "")
