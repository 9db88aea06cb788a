"""Ask for money, and find out what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from mindfulqalb.webhooks.services import store_webhook
from payments.announcements import announce_capture
from payments.comparison import difference, is_outdated
from payments.gateways import GATEWAY_OF_PREFIX, gateway_named
from payments.gateways.base import Charge, OrderRequest
from payments.gateways.razorpay import RazorpayGateway
from payments.models import Payment
from payments.queries import balance, is_untouched
from payments.refunds import request_refund
from payments.states import Attention, PaymentState, RefundReason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from payments.money import Money


# Ids of strangers go into the vendors' URLs: nothing but letters, digits and underscores may.
PROVIDER_ID = re.compile(r"(?P<prefix>[a-z]+)_[A-Za-z0-9_]+")


class UnknownPayment(Refusal):
    """The id is not one of ours, whoever's it is."""

    code = "unknown_payment"
    status = 400
    sentence = "We do not know this payment. Please check the payment id, or start the payment again."


class InvalidSignature(Refusal):
    """The triple was not made by the gateway."""

    code = "invalid_signature"
    status = 400
    sentence = "This payment could not be verified."


class PaymentNotCaptured(Refusal):
    """No money has arrived (yet)."""

    code = "payment_required"
    status = 402
    sentence = "This payment has not been completed. If your bank is still at it, please try again in a moment."


class PaymentUnusable(Refusal):
    """The money was here, and cannot buy a session."""

    code = "payment_needs_attention"
    status = 409
    sentence = (
        "This payment cannot be used: it was refunded, or we need to look at it. Please do not pay again; write to us."
    )


class PaymentGoneBack(PaymentUnusable):
    """All of it has gone back, or is on its way: whoever comes by an old link may pay anew."""

    code = "payment_refunded"
    sentence = "The money of this payment has gone back, or is on its way to you. To book, please pay anew."


@dataclass(frozen=True)
class Checkout:
    """How the client pays: what the browser is told on top of the price."""

    payer_email: str = ""
    success_url: str = ""
    cancel_url: str = ""


def start_payment(*, gateway: str, item: str, price: Money, reference: str, now: datetime) -> Payment:
    """Write down what is to be paid before a gateway is asked; `price` is the catalogue's, never a caller's."""
    return Payment.objects.create(
        gateway=gateway,
        item=item,
        reference=reference,
        amount_minor=price.amount_minor,
        currency=price.currency,
        is_live=gateway_named(gateway).is_live,
        expires_at=now + timedelta(minutes=settings.HOLD_MINUTES),
    )


def request_order(*, payment: Payment, title: str, checkout: Checkout) -> Payment:
    """Ask the gateway for an order for a payment that is written down; call it outside transactions.

    `title` stands on the gateway's page and on statements. Stripe takes no empty one.
    """
    order = gateway_named(payment.gateway).create_order(
        OrderRequest(
            receipt=str(payment.id),
            price=payment.price,
            description=title,
            asked_at=payment.created_at,
            expires_at=payment.expires_at,
            payer_email=checkout.payer_email,
            success_url=checkout.success_url,
            cancel_url=checkout.cancel_url,
        )
    )
    payment.provider_order_id = order.provider_order_id
    payment.checkout_url = order.checkout_url
    payment.save(update_fields=["provider_order_id", "checkout_url"])
    return payment


def verify_return(*, provider_order_id: str, provider_payment_id: str, signature: str, now: datetime) -> Payment:
    """Believe what the checkout dialog gave to a browser: the signature first, then what the gateway itself says.

    Raises UnknownPayment, InvalidSignature, or PaymentNotCaptured when the signature is right and the money is not
    here.
    """
    if not PROVIDER_ID.fullmatch(provider_order_id):
        raise UnknownPayment(fields={"razorpay_order_id": ["Unknown order."]})
    payment = Payment.objects.filter(gateway="razorpay", provider_order_id=provider_order_id, duplicate_of=None).first()
    if payment is None or payment.provider_order_id is None:
        raise UnknownPayment(fields={"razorpay_order_id": ["Unknown order."]})
    gateway = gateway_named("razorpay")
    if not isinstance(gateway, RazorpayGateway) or not gateway.is_genuine_return(
        provider_order_id=payment.provider_order_id,
        provider_payment_id=provider_payment_id,
        signature=signature,
    ):
        raise InvalidSignature(fields={"razorpay_signature": ["The signature does not match this payment."]})
    if not payment.is_captured:
        payment = capture_payment(payment_id=payment.id, now=now)
    if not payment.is_captured:
        raise PaymentNotCaptured
    return payment


def find_payment(*, provider_id: str, now: datetime) -> Payment:
    """Find the captured payment that a caller names by `pay_...`, `pi_...` or `cs_...`, asking the gateway if need be.

    Raises UnknownPayment, or PaymentNotCaptured.
    """
    payment = _by_provider_id(provider_id)
    if not payment.is_captured:
        payment = capture_payment(payment_id=payment.id, now=now)
    if not payment.is_captured:
        raise PaymentNotCaptured(fields={"paymentId": ["This payment has not been completed."]})
    return payment


def capture_payment(*, payment_id: UUID, now: datetime) -> Payment:
    """Ask the gateway for the truth about a payment and write it down.

    The browser's return, the webhook and everybody else call this and nothing else; any of them may be first, or
    late, or call twice. Returns the payment as it stands then. Raises ProviderError when the gateway does not answer.
    """
    payment = Payment.objects.get(id=payment_id)
    if payment.provider_order_id is None:
        return payment
    charges = gateway_named(payment.gateway).collect(payment.provider_order_id, payment.price)
    with transaction.atomic():
        locked = Payment.objects.locked(payment_id)
        _apply(locked, charges, now)
    return locked


def payer_email(*, payment: Payment) -> str:
    """Ask the gateway where its payer can be written to; empty where it does not know. Raises ProviderError."""
    if payment.provider_payment_id is None:
        return ""
    return gateway_named(payment.gateway).payer_email(payment.provider_payment_id)


def receive_webhook(*, gateway: str, body: bytes, headers: Mapping[str, str], now: datetime) -> bool:
    """Check a delivery's signature and store it once; False when it was here before. Raises InvalidWebhook."""
    return store_webhook(event=gateway_named(gateway).read_webhook(body, headers), now=now)


def abandon_orders(*, reference: str, now: datetime) -> None:
    """Stop taking money for what nobody waits for any more: the payer with this reference has gone.

    An order that turns out to be paid is captured. Raises ProviderError when the gateway does not answer.
    """
    still_open = Payment.objects.filter(reference=reference).exclude(
        state__in=[PaymentState.CAPTURED, PaymentState.EXPIRED]
    )
    for payment in still_open.exclude(provider_order_id=None).order_by("created_at"):
        if gateway_named(payment.gateway).close_order(payment.provider_order_id or ""):
            _expire(payment.id, now)
        else:
            capture_payment(payment_id=payment.id, now=now)


def lock_spendable(payment_id: UUID) -> Payment:
    """Hold a payment until the transaction ends, so that it can be spent while nobody sends it back.

    Raises PaymentGoneBack, or PaymentUnusable when a person must look at it first, or when a part has gone back.
    """
    payment = Payment.objects.locked(payment_id)
    if payment.is_spendable and is_untouched(payment):
        return payment
    raise PaymentGoneBack if payment.is_captured and balance(payment) <= 0 else PaymentUnusable


def _expire(payment_id: UUID, now: datetime) -> None:
    with transaction.atomic():
        locked = Payment.objects.locked(payment_id)
        if locked.state in {PaymentState.CREATED, PaymentState.PENDING}:
            locked.expire()
            locked.save(update_fields=["state"])
            _record_attempt(locked, now)


def _by_provider_id(provider_id: str) -> Payment:
    id_parts = PROVIDER_ID.fullmatch(provider_id)
    name = GATEWAY_OF_PREFIX.get(id_parts["prefix"]) if id_parts else None
    if name is None:
        raise UnknownPayment(fields={"paymentId": ["This is not a payment id."]})
    known = Payment.objects.filter(gateway=name)
    payment = known.filter(provider_payment_id=provider_id).first()
    if payment is None:
        order_id = provider_id if provider_id.startswith("cs_") else gateway_named(name).find_order(provider_id)
        payment = known.filter(provider_order_id=order_id, duplicate_of=None).first() if order_id else None
    if payment is None:
        raise UnknownPayment(fields={"paymentId": ["We do not know this payment."]})
    return payment


def _apply(payment: Payment, charges: list[Charge], now: datetime) -> None:
    """Move a locked payment to where the gateway's charges put it."""
    for charge in [charge for charge in charges if charge.state == PaymentState.CAPTURED]:
        if not payment.is_captured:
            _capture(payment, charge, now)
        elif charge.provider_payment_id != payment.provider_payment_id:
            _keep_second_capture(payment, charge, now)
    if payment.is_captured:
        return
    if any(charge.state == PaymentState.PENDING for charge in charges):
        _move(payment, PaymentState.PENDING, now)
    elif charges and payment.state != PaymentState.EXPIRED:  # that an attempt failed is no news of what is over
        _move(payment, PaymentState.FAILED, now)


def _capture(payment: Payment, charge: Charge, now: datetime) -> None:
    payment.doubt(difference(payment, charge))
    payment.capture(provider_payment_id=charge.provider_payment_id, captured=charge.paid, now=now)
    if is_outdated(payment, charge):
        payment.doubt(Attention.PRICE)
    payment.save()
    announce_capture(payment, now=now)


def _keep_second_capture(payment: Payment, charge: Charge, now: datetime) -> None:
    """A client paid one order twice: the second money gets a row of its own, and goes back."""
    if Payment.objects.filter(provider_payment_id=charge.provider_payment_id).exists():
        return
    second = Payment(
        gateway=payment.gateway,
        item=payment.item,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        provider_order_id=payment.provider_order_id,
        duplicate_of=payment,
        is_live=payment.is_live,
        expires_at=payment.expires_at,
    )
    second.capture(provider_payment_id=charge.provider_payment_id, captured=charge.paid, now=now)
    second.attention = Attention.SECOND_CAPTURE
    second.save(force_insert=True)
    announce_capture(second, now=now)
    request_refund(payment_id=second.id, amount_minor=None, reason=RefundReason.SECOND_CAPTURE, actor="system", now=now)


def _move(payment: Payment, state: PaymentState, now: datetime) -> None:
    if payment.state == state:
        return
    if state == PaymentState.PENDING:
        payment.wait()
    else:
        payment.fail()
    payment.save(update_fields=["state"])
    _record_attempt(payment, now)


def _record_attempt(payment: Payment, now: datetime) -> None:
    record(
        action=f"payment.{payment.state.lower()}",
        actor=f"vendor:{payment.gateway}",
        target=f"payment:{payment.id}",
        now=now,
    )
