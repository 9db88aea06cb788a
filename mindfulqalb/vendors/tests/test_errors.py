from __future__ import annotations

from datetime import timedelta

from mindfulqalb.vendors.errors import ProviderError


def test_an_error_says_whether_asking_again_is_of_use() -> None:
    passing = ProviderError("no answer", permanent=False, retry_after=timedelta(seconds=30))
    final = ProviderError("refused", permanent=True)

    assert (str(passing), passing.permanent, passing.retry_after) == ("no answer", False, timedelta(seconds=30))
    assert (str(final), final.permanent, final.retry_after) == ("refused", True, None)
