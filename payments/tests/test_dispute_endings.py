"""What becomes of the money, and of whoever has to look at it, once a bank has decided."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError
from payments.attention import NothingToAccept, accept_payment
from payments.disputes import sync_disputes
from payments.metrics import needing_attention
from payments.models import Dispute, Payment, Refund
from payments.money import Money
from payments.queries import balance, has_gone_back, needing_a_person, owable, refundable
from payments.refunds import PaymentDisputed, request_refund, send_refund, sync_refunds
from payments.states import DisputeState, RefundReason, RefundState
from payments.tests.bank import PATHS, hear_of_dispute, paid_at, raise_dispute, settle_dispute
from payments.tests.builders import NOW, announced

if TYPE_CHECKING:
    from datetime import datetime

    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db
BEFORE = NOW - timedelta(seconds=1)
LEAST = 100  # of which Razorpay makes a refund


def _owe(payment: Payment, amount_minor: int | None = None, *, now: datetime = BEFORE) -> Refund:
    """Promise money back as a cancellation does, whatever the bank is about to decide at NOW."""
    return request_refund(
        payment_id=payment.id,
        amount_minor=amount_minor,
        reason=RefundReason.CANCELLED_BY_CLIENT,
        actor="client",
        now=now,
        waits_for_bank=True,
    )


def _returned(payer: Payer) -> list[int]:
    return [refund["amount"] for refund in payer.sandbox.state()[payer.name]["refunds"]]


def _attention(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.attention


def test_what_is_owed_while_a_bank_decides_goes_back_when_it_leaves_the_money_to_us(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    refund = _owe(payment)
    with pytest.raises(RetryLater):
        send_refund(refund_id=refund.id, now=NOW)
    assert (_returned(payer), owable(payment).amount_minor) == ([], 0)

    settle_dispute(payer, dispute_id, "won")

    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.PROCESSED
    assert (_returned(payer), _attention(payment)) == ([payer.price.amount_minor], "")


def test_what_is_owed_is_not_paid_again_when_the_bank_has_given_it_back(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    refund = _owe(payment)

    settle_dispute(payer, dispute_id, "lost")

    ended = send_refund(refund_id=refund.id, now=NOW + timedelta(hours=6))
    assert (ended.state, ended.settled_at, _returned(payer)) == (RefundState.FAILED, NOW + timedelta(hours=6), [])
    assert Refund.objects.get().settled_at == ended.settled_at
    event = AuditEvent.objects.get(action="refund.left_to_the_bank")
    assert (event.actor, event.target) == ("system", f"payment:{payment.id}")
    assert (_attention(payment), has_gone_back(payment), balance(payment)) == ("dispute_lost", True, 0)
    assert send_refund(refund_id=refund.id, now=NOW).state == RefundState.FAILED


@pytest.mark.parametrize("owed", [600, 601, None])
def test_what_is_owed_shrinks_by_what_the_bank_gave(payer: Payer, owed: int | None) -> None:
    payment = paid_at(payer)
    price = payer.price.amount_minor
    dispute_id = raise_dispute(payer, payment, 500)
    refund = _owe(payment, owed)

    settle_dispute(payer, dispute_id, "lost")
    send_refund(refund_id=refund.id, now=NOW)

    left = (owed or price) - 500
    assert (_returned(payer), balance(payment)) == ([left], price - 500 - left)
    assert Refund.objects.get().amount_minor == left


def test_what_the_bank_gave_before_is_not_taken_off_what_is_owed_since(payer: Payer) -> None:
    payment = paid_at(payer)
    settle_dispute(payer, raise_dispute(payer, payment, 600), "lost")
    refund = _owe(payment, payer.price.amount_minor - 600, now=NOW)

    send_refund(refund_id=refund.id, now=NOW)

    assert _returned(payer) == [payer.price.amount_minor - 600]
    assert not AuditEvent.objects.filter(action="refund.left_to_the_bank").exists()


def test_what_the_bank_gave_is_not_taken_off_twice(payer: Payer) -> None:
    payment = paid_at(payer)
    refunds = [_owe(payment, 300), _owe(payment, 400)]
    settle_dispute(payer, raise_dispute(payer, payment, 100), "lost")

    for refund in refunds:
        send_refund(refund_id=refund.id, now=NOW)

    assert sorted(_returned(payer)) == [300, 400]


def test_what_the_bank_gave_is_taken_off_though_another_refund_had_arrived_before(payer: Payer) -> None:
    payment = paid_at(payer)
    send_refund(refund_id=_owe(payment, 300).id, now=BEFORE)
    refund = _owe(payment, 400)
    settle_dispute(payer, raise_dispute(payer, payment, 100), "lost")

    send_refund(refund_id=refund.id, now=NOW)

    assert sorted(_returned(payer)) == [300, 300]


def test_both_together_never_give_back_more_than_had_come(payer: Payer) -> None:
    payment = paid_at(payer)
    price = payer.price.amount_minor
    refunds = [_owe(payment, 300), _owe(payment, price - 300)]
    settle_dispute(payer, raise_dispute(payer, payment, 150), "lost")

    for refund in refunds:
        send_refund(refund_id=refund.id, now=NOW)

    assert (sorted(_returned(payer)), balance(payment)) == ([150, price - 300], 0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), is_heard_of_first=st.booleans(), final=st.sampled_from(["won", "lost"]))
def test_a_bank_and_we_give_back_together_what_was_promised_or_what_the_bank_took(
    payer: Payer, data: st.DataObject, is_heard_of_first: bool, final: str
) -> None:
    payment, price = paid_at(payer), payer.price.amount_minor
    disputed, owed = (data.draw(st.integers(1, price)) for _ in range(2))
    taken = disputed if final == "lost" else 0
    assume(not 0 < owed - taken < LEAST)
    before = len(_returned(payer))

    promised_first = None if is_heard_of_first else _owe(payment, owed)
    dispute_id = raise_dispute(payer, payment, disputed)
    refund = promised_first or _owe(payment, owed)
    for verdict in [*data.draw(st.lists(st.sampled_from(["under_review", "won", "lost"]), max_size=3)), final]:
        settle_dispute(payer, dispute_id, verdict)
    send_refund(refund_id=refund.id, now=NOW)

    paid = sum(_returned(payer)[before:])
    assert (paid, paid + taken <= price) == (max(owed - taken, 0), True)


def test_what_a_hand_in_the_dashboard_took_is_not_left_to_a_bank_that_took_nothing(payer: Payer) -> None:
    payment = paid_at(payer)
    settle_dispute(payer, raise_dispute(payer, payment, 600), "won")
    refund = _owe(payment)
    payer.refund_by_hand(str(payment.provider_payment_id), 500)
    sync_refunds(payment_id=payment.id, now=NOW)

    with pytest.raises(ProviderError):
        send_refund(refund_id=refund.id, now=NOW)

    refund.refresh_from_db()
    assert (refund.amount_minor, refund.state) == (payer.price.amount_minor, RefundState.FAILED)
    assert _attention(payment) == "refund_failed"


def test_a_dispute_that_is_first_heard_of_when_it_was_lost_is_lost(payer: Payer) -> None:
    payment = paid_at(payer)
    raised = payer.sandbox.dispute(PATHS[payer.name], str(payment.provider_payment_id))
    payer.sandbox.settle(f"{payer.name}/disputes", str(raised["id"]), "lost")

    sync_disputes(gateway=payer.name, now=NOW)

    dispute = Dispute.objects.get()
    assert (dispute.state, dispute.settled_at, _attention(payment)) == (DisputeState.LOST, NOW, "dispute_lost")


def test_staff_cannot_promise_anything_while_a_bank_decides(payer: Payer) -> None:
    payment = paid_at(payer)
    raise_dispute(payer, payment)

    with pytest.raises(PaymentDisputed):
        request_refund(payment_id=payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="staff:1", now=NOW)
    assert (refundable(payment).amount_minor, owable(payment)) == (0, payer.price)


def test_a_whole_payment_that_is_lost_needs_nobody_any_more(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    assert (list(needing_a_person()), needing_attention(NOW)) == ([payment], 1)

    settle_dispute(payer, dispute_id, "lost")

    assert (_attention(payment), list(needing_a_person()), needing_attention(NOW)) == ("dispute_lost", [], 0)
    with pytest.raises(NothingToAccept):
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_the_rest_of_a_payment_that_is_lost_in_part_needs_a_person_until_they_decide(
    is_accepted: bool, payer: Payer
) -> None:
    payment = paid_at(payer)
    settle_dispute(payer, raise_dispute(payer, payment, 600), "lost")
    assert list(needing_a_person()) == [payment]

    if is_accepted:
        accept_payment(payment_id=payment.id, actor="staff:1", now=NOW)
    else:
        send_refund(refund_id=_owe(payment, now=NOW).id, now=NOW)

    left = payer.price.amount_minor - 600
    assert (_attention(payment), list(needing_a_person())) == ("" if is_accepted else "dispute_lost", [])
    assert (_returned(payer), balance(payment)) == (([], left) if is_accepted else ([left], 0))


def test_a_whole_payment_that_is_lost_settles_older_doubts(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.update(attention="refund_failed")

    settle_dispute(payer, raise_dispute(payer, payment), "lost")

    assert _attention(payment) == "dispute_lost"


def test_a_part_that_is_lost_leaves_an_older_doubt_standing(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.update(attention="refund_failed")

    settle_dispute(payer, raise_dispute(payer, payment, payer.price.amount_minor - 1), "lost")

    assert _attention(payment) == "refund_failed"


def test_a_dispute_leaves_an_older_doubt_standing_though_all_of_the_money_is_on_its_way_back(payer: Payer) -> None:
    payment = paid_at(payer)
    Payment.objects.update(attention="refund_failed")
    _owe(payment)

    raise_dispute(payer, payment)

    assert _attention(payment) == "refund_failed"


def test_a_dispute_that_was_lost_and_is_taken_up_again_is_undecided(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    settle_dispute(payer, dispute_id, "lost")

    settle_dispute(payer, dispute_id, "under_review")

    assert (_attention(payment), Dispute.objects.get().settled_at) == ("dispute", None)


def test_money_that_a_bank_leaves_to_us_is_offered_again_to_what_it_was_paid_for(payer: Payer) -> None:
    payment = paid_at(payer)
    dispute_id = raise_dispute(payer, payment)
    before = announced()

    settle_dispute(payer, dispute_id, "under_review")
    assert announced() == before
    settle_dispute(payer, dispute_id, "won")
    hear_of_dispute(payer)

    assert announced() == [*before, *before]


def test_money_with_another_doubt_is_not_offered_when_a_bank_leaves_it_to_us(payer: Payer) -> None:
    payment = paid_at(payer)
    before = announced()
    Payment.objects.update(attention="amount_mismatch")

    settle_dispute(payer, raise_dispute(payer, payment), "won")

    assert announced() == before


def test_a_dispute_that_is_won_does_not_hide_another_that_is_lost(payer: Payer) -> None:
    payment = paid_at(payer)
    Dispute.objects.create(
        payment=payment,
        provider_dispute_id="an earlier one",
        state=DisputeState.LOST,
        amount_minor=100,
        currency=payer.price.currency,
        noticed_at=NOW,
    )

    settle_dispute(payer, raise_dispute(payer, payment, 200), "won")

    assert (_attention(payment), refundable(payment)) == (
        "dispute_lost",
        Money(payer.price.amount_minor - 100, payer.price.currency),
    )


def test_a_dispute_of_a_payment_that_another_gateway_knows_by_the_same_id_is_left_alone(payer: Payer) -> None:
    payment = paid_at(payer)
    payer.sandbox.dispute(PATHS[payer.name], str(payment.provider_payment_id))
    Payment.objects.update(gateway="another")

    assert (sync_disputes(gateway=payer.name, now=NOW), Dispute.objects.count()) == (0, 0)
