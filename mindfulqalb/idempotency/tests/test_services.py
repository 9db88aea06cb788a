from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from mindfulqalb.idempotency.models import KeptAnswer
from mindfulqalb.idempotency.services import (
    CLAIM,
    KEPT_FOR,
    Asked,
    KeyUsedOtherwise,
    StillRunning,
    claim_or_recall,
    forget_old_answers,
    give_up,
    keep_answer,
)
from mindfulqalb.webhooks.tests.connections import await_waiting, start_threads

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
ASKED = Asked(key="key-1", path="/api/bookings", body=b'{"a": 1}')
OTHER_BODY = Asked(key="key-1", path="/api/bookings", body=b'{"a": 2}')
OTHER_PATH = Asked(key="key-1", path="/api/payments/create-order", body=b'{"a": 1}')

pytestmark = pytest.mark.django_db


def _answered() -> KeptAnswer:
    claim = claim_or_recall(asked=ASKED, now=NOW)
    keep_answer(claim=claim, status=201, answer='{"ok": true}')
    return claim


def test_claim_is_open_the_first_time() -> None:
    assert claim_or_recall(asked=ASKED, now=NOW).status is None


def test_recall_gives_the_answer_again() -> None:
    _answered()

    kept = claim_or_recall(asked=ASKED, now=NOW + timedelta(hours=23))

    assert (kept.status, kept.answer) == (201, '{"ok": true}')


def test_recall_refuses_another_body() -> None:
    _answered()

    with pytest.raises(KeyUsedOtherwise):
        claim_or_recall(asked=OTHER_BODY, now=NOW)


def test_claim_of_the_same_key_elsewhere_is_another_one() -> None:
    _answered()

    assert claim_or_recall(asked=OTHER_PATH, now=NOW).status is None


def test_claim_is_refused_while_somebody_is_at_it() -> None:
    claim_or_recall(asked=ASKED, now=NOW)

    with pytest.raises(StillRunning) as refusal:
        claim_or_recall(asked=ASKED, now=NOW + CLAIM - timedelta(seconds=1))

    assert refusal.value.headers["Retry-After"] == "1"


def test_claim_of_a_dead_holder_is_taken_over() -> None:
    dead = claim_or_recall(asked=ASKED, now=NOW)

    heir = claim_or_recall(asked=ASKED, now=NOW + CLAIM)
    keep_answer(claim=dead, status=500, answer="late")
    keep_answer(claim=heir, status=201, answer="mine")

    kept = KeptAnswer.objects.get()
    assert (kept.status, kept.answer) == (201, "mine")


def test_give_up_frees_the_key() -> None:
    give_up(claim=claim_or_recall(asked=ASKED, now=NOW))

    assert claim_or_recall(asked=OTHER_BODY, now=NOW).status is None


def test_give_up_leaves_an_answer_alone() -> None:
    give_up(claim=_answered())

    assert KeptAnswer.objects.get().status == 201


def test_answer_older_than_a_day_is_forgotten() -> None:
    _answered()

    kept = claim_or_recall(asked=OTHER_BODY, now=NOW + KEPT_FOR + timedelta(seconds=1))

    assert (kept.status, KeptAnswer.objects.count()) == (None, 1)


def test_forget_old_answers_deletes_what_is_older_than_a_day() -> None:
    _answered()

    assert (forget_old_answers(now=NOW + KEPT_FOR), forget_old_answers(now=NOW + KEPT_FOR + CLAIM)) == (0, 1)


def test_kept_answer_stores_neither_key_nor_answer_readably() -> None:
    _answered()

    with connection.cursor() as cursor:
        cursor.execute("SELECT kept_answers::text FROM kept_answers")
        (row,) = cursor.fetchone()

    assert ("key-1" in row, b'{"ok": true}'.hex() in row) == (False, False)


@pytest.mark.django_db(transaction=True)
def test_claim_waits_while_whoever_was_at_it_gives_up() -> None:
    first = claim_or_recall(asked=ASKED, now=NOW)
    with transaction.atomic():
        KeptAnswer.objects.select_for_update().get()
        (second,) = start_threads(lambda: claim_or_recall(asked=ASKED, now=NOW), count=1)
        await_waiting(1)
        give_up(claim=first)

    with pytest.raises(StillRunning):
        second.result()


@pytest.mark.django_db(transaction=True)
def test_claim_goes_to_one_of_many_at_once() -> None:
    def claim(_: int) -> str:
        try:
            claim_or_recall(asked=ASKED, now=NOW)
        except StillRunning:
            return "wait"
        finally:
            connection.close()
        return "mine"

    with ThreadPoolExecutor(8) as crowd:
        results = list(crowd.map(claim, range(16)))

    assert (results.count("mine"), results.count("wait")) == (1, 15)
