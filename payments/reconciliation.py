"""Ask the gateways what became of payments: after a webhook, and by ourselves where no webhook came."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Q

from mindfulqalb.outbox.failures import describe
from mindfulqalb.vendors.errors import ProviderError
from payments.disputes import sync_dispute, sync_disputes
from payments.gateways import REGISTRY, gateway_named
from payments.models import Payment
from payments.refunds import sync_refunds
from payments.services import capture_payment
from payments.states import PaymentState, RefundState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

T = TypeVar("T")

logger = logging.getLogger(__name__)

# A webhook takes seconds and a client at a bank's page minutes; after this, silence is suspicious.
OPEN_LONG_ENOUGH = timedelta(minutes=15)
# A bank may authorize late, within three days by Razorpay's word.
ASK_FOR = timedelta(days=5)
# How often an order is asked about, by its age: money that comes late comes ever more rarely, and each question waits
# for a gateway, with all others behind it.
EVERY_ROUND, HOURLY, NOW_AND_THEN = timedelta(minutes=5), timedelta(hours=1), timedelta(hours=6)
FRESH, OF_TODAY = timedelta(hours=1), timedelta(days=1)
# Rounds come every five minutes or so. Twice as long, so that one that is late leaves no order out.
TURN = timedelta(minutes=10)
# News of what was done by hand at the gateway may be lost for good: recent money is looked at again every night.
LOOK_BACK = timedelta(days=30)
OPEN_STATES = (PaymentState.CREATED, PaymentState.PENDING, PaymentState.FAILED, PaymentState.EXPIRED)


def apply_webhook(*, gateway: str, body: str, now: datetime) -> Payment | None:
    """Act on a stored delivery: it only says what to ask about; the payment that it was about is returned.

    What is not ours is left alone.
    """
    payment = _refresh_subject(gateway, body, now)
    if dispute_id := gateway_named(gateway).dispute_of_webhook(body):
        dispute = sync_dispute(gateway=gateway, provider_dispute_id=dispute_id, now=now)
        return dispute.payment if dispute else payment
    return payment


def _refresh_subject(gateway: str, body: str, now: datetime) -> Payment | None:
    subject = gateway_named(gateway).order_of_webhook(body)
    if subject is None:
        return None
    known = Payment.objects.filter(gateway=gateway)
    payment = known.filter(Q(provider_order_id=subject, duplicate_of=None) | Q(provider_payment_id=subject)).first()
    if payment is not None:
        refresh_payment(payment_id=payment.id, now=now)
    return payment


def refresh_payment(*, payment_id: UUID, now: datetime) -> Payment:
    """Bring a payment and its refunds to where the gateway says they are. Raises ProviderError when it is silent."""
    payment = capture_payment(payment_id=payment_id, now=now)
    if payment.is_captured:
        sync_refunds(payment_id=payment_id, now=now)
        # News of a second capture's refund name the order, and the order's first payment is the one found by it.
        for second_id in payment.duplicates.values_list("id", flat=True):
            sync_refunds(payment_id=second_id, now=now)
    return payment


def suspicious_payments(*, now: datetime, since: datetime | None = None) -> list[UUID]:
    """Name all orders that should have an end by now, and the payments whose refund is under way."""
    found = _suspicious(now, since)
    return list(found.order_by("created_at").values_list("id", flat=True).distinct())


def payments_to_ask_about(*, now: datetime) -> list[UUID]:
    """Name those of the suspicious payments whose turn it is in this round: all that are fresh, or being refunded.

    An order of an hour is asked about once or twice in each hour, one of a day in each six hours.
    """
    refunding = set(Payment.objects.filter(refunds__state=RefundState.PENDING).values_list("id", flat=True))
    found = _suspicious(now, None).order_by("created_at").values_list("id", "created_at").distinct()
    return [payment_id for payment_id, since in found if payment_id in refunding or is_its_turn(age=now - since)]


def is_its_turn(*, age: timedelta) -> bool:
    """Tell whether an open order of this age is asked about now."""
    pace = EVERY_ROUND if age < FRESH else HOURLY if age < OF_TODAY else NOW_AND_THEN
    return age % pace < TURN


def _suspicious(now: datetime, since: datetime | None) -> QuerySet[Payment]:
    started = Q(created_at__gte=since or now - ASK_FOR, created_at__lte=now - OPEN_LONG_ENOUGH)
    is_open = Q(state__in=OPEN_STATES) & ~Q(provider_order_id=None)
    refunding = Q(refunds__state=RefundState.PENDING)
    return Payment.objects.filter(started & is_open | refunding)


def recent_captures(*, now: datetime) -> list[UUID]:
    """Name the payments of which the gateway may know more than we do, though everything seems to be at its end."""
    found = Payment.objects.filter(state=PaymentState.CAPTURED, duplicate_of=None, captured_at__gte=now - LOOK_BACK)
    return list(found.order_by("captured_at").values_list("id", flat=True))


def refresh_disputes(*, now: datetime) -> Iterator[int | None]:
    """Ask every gateway about disputes; None stands for one that could not be asked, and does not stop the rest."""
    for gateway in REGISTRY:
        yield _unless_it_fails(f"the disputes at {gateway}", partial(sync_disputes, gateway=gateway, now=now))


def refresh_payments(payment_ids: Iterable[UUID], *, now: datetime) -> Iterator[Payment | None]:
    """Refresh one after the other; None stands for one that could not be, and does not stop the rest."""
    for payment_id in payment_ids:
        yield _unless_it_fails(f"payment {payment_id}", partial(refresh_payment, payment_id=payment_id, now=now))


def _unless_it_fails(what: str, refresh: Callable[[], T]) -> T | None:
    """Go on after a silent gateway, and after a fault of ours, which calls a person: others' money waits behind it."""
    try:
        return refresh()
    except ProviderError as error:
        logger.warning("%s could not be refreshed: %s", what, error)
    except Exception as fault:  # noqa: BLE001  one row that nobody thought of must not hide all those after it
        # The message and the traceback's last line may quote personal data.
        logger.error("%s broke the reconciler: %s", what, describe(fault))  # noqa: TRY400
    return None
