"""Mistakes that production would start with are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.api.checks import check_deployment

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.fixture(autouse=True)
def _good(settings: Settings) -> None:
    settings.SITE_URL = "https://book.example.org"
    settings.ALLOWED_HOSTS = ["book.example.org"]
    settings.CORS_ALLOWED_ORIGINS = ["https://www.example.org"]
    settings.CHECKOUT_RETURN_ORIGINS = []
    settings.TRUSTED_PROXY_COUNT = 1


def test_good_settings_are_left_alone() -> None:
    assert check_deployment() == []


@pytest.mark.parametrize(
    ("name", "value", "check_id"),
    [
        ("ALLOWED_HOSTS", ["*"], "mindfulqalb.E001"),
        ("ALLOWED_HOSTS", ["book.example.org", ".example.org"], "mindfulqalb.E001"),
        ("CORS_ALLOWED_ORIGINS", ["http://www.example.org"], "mindfulqalb.E002"),
        ("CHECKOUT_RETURN_ORIGINS", ["https://www.example.org", "*"], "mindfulqalb.E002"),
        ("SITE_URL", "http://book.example.org", "mindfulqalb.E003"),
        ("TRUSTED_PROXY_COUNT", 0, "mindfulqalb.W004"),
    ],
)
def test_dangerous_setting_is_named(name: str, value: Any, check_id: str, settings: Settings) -> None:
    setattr(settings, name, value)

    assert [message.id for message in check_deployment()] == [check_id]
