from __future__ import annotations

from datetime import timedelta

import pytest

from mindfulqalb.outbox.failures import backoff, describe, is_permanent, pause_after
from mindfulqalb.vendors.errors import ProviderError


def raised(failure: Exception) -> Exception:
    try:
        raise failure
    except type(failure) as caught:
        return caught


def test_backoff_doubles_up_to_one_hour() -> None:
    seconds = [backoff(attempts=attempts).total_seconds() for attempts in range(1, 13)]

    assert seconds == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert backoff(attempts=10_000) == timedelta(hours=1)


def test_pause_is_the_backoff_less_at_most_a_fifth() -> None:
    pauses = {pause_after(ValueError(), attempts=2) for _ in range(200)}

    assert all(timedelta(seconds=8) <= pause <= timedelta(seconds=10) for pause in pauses)
    assert len(pauses) > 1


def test_pause_is_what_the_vendor_asked_for() -> None:
    failure = ProviderError("busy", permanent=False, retry_after=timedelta(minutes=7))

    assert pause_after(failure, attempts=1) == timedelta(minutes=7)


def test_pause_is_never_shorter_than_the_backoff() -> None:
    failure = ProviderError("busy", permanent=False, retry_after=timedelta(0))

    assert pause_after(failure, attempts=12) >= timedelta(minutes=48)


@pytest.mark.parametrize(
    ("failure", "permanent"),
    [
        (ProviderError("no such event type", permanent=True), True),
        (ProviderError("no answer", permanent=False), False),
        (ValueError("asha@example.org"), False),
    ],
)
def test_only_a_vendor_can_be_permanent(failure: Exception, permanent: bool) -> None:
    assert is_permanent(failure) is permanent


def test_a_vendors_error_is_quoted() -> None:
    assert describe(ProviderError("calendar answered 503", permanent=False)) == "ProviderError: calendar answered 503"


def test_a_quotation_is_short_and_fit_for_the_database() -> None:
    description = describe(ProviderError("a\x00b\nc\ud800d" + "e" * 1000, permanent=False))

    assert description == ("ProviderError: a b c d" + "e" * 1000)[:500]


def test_of_an_unknown_error_only_class_and_place_are_kept() -> None:
    failure = raised(ValueError("asha@example.org is no date"))

    line = failure.__traceback__.tb_lineno  # type: ignore[union-attr]
    assert describe(failure) == f"ValueError at tests/test_failures.py:{line}"
