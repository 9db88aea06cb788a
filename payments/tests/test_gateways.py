"""What both gateways promise, tried on each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import responses

from mindfulqalb.vendors.errors import ProviderError
from payments.gateways import REGISTRY, gateway_named
from payments.money import Money
from payments.states import PaymentState
from payments.tests.builders import make_request
from payments.tests.payers import PAYERS, Payer, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import Settings

ODD_ANSWERS = ["{}", "[]", "null", '"text"', "5", '{"items": [{}]}', '{"items": null}', '{"data": [{}]}', "<html>", ""]


def _ask(payer: Payer, method: str, order_id: str) -> Callable[[], object]:
    """Prepare one of the three calls."""
    gateway = payer.gateway()
    return {
        "create": lambda: gateway.create_order(make_request(payer.price)),
        "collect": lambda: gateway.collect(order_id, payer.price),
        "find": lambda: gateway.find_order(payer.unknown_payment_id),
    }[method]


def test_the_registry_knows_both_by_name_and_makes_each_once() -> None:
    assert sorted(REGISTRY) == sorted(PAYERS)
    assert [gateway_named(name).name for name in sorted(REGISTRY)] == sorted(REGISTRY)
    assert gateway_named("stripe") is gateway_named("stripe")


def test_an_order_is_for_the_price_under_our_receipt(payer: Payer) -> None:
    request = make_request(payer.price)

    order = payer.gateway().create_order(request)

    assert payer.books() == [(order.provider_order_id, payer.price.amount_minor, payer.price.currency, request.receipt)]


def test_an_order_asked_for_twice_is_one(payer: Payer) -> None:
    request = make_request(payer.price)

    first, second = payer.gateway().create_order(request), payer.gateway().create_order(request)

    assert first == second
    assert len(payer.books()) == 1


def test_an_order_whose_answer_is_lost_is_found(payer: Payer) -> None:
    payer.sandbox.fault(payer.name, "drop", payer.calls["create"])

    order = payer.gateway().create_order(make_request(payer.price))

    assert [each[0] for each in payer.books()] == [order.provider_order_id]


def test_two_receipts_are_two_orders(payer: Payer) -> None:
    for receipt in ("receipt-1", "receipt-2"):
        payer.gateway().create_order(make_request(payer.price, receipt=receipt))

    assert [each[3] for each in payer.books()] == ["receipt-1", "receipt-2"]


def test_a_price_below_the_vendors_minimum_is_refused_for_good(payer: Payer) -> None:
    with pytest.raises(ProviderError) as error:
        payer.gateway().create_order(make_request(Money(1, payer.price.currency)))

    assert (error.value.permanent, payer.books()) == (True, [])


def test_an_order_that_nobody_paid_has_no_charge(payer: Payer) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id

    assert payer.gateway().collect(order_id, payer.price) == []


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("failed", PaymentState.FAILED),
        ("pending", PaymentState.PENDING),
        ("captured", PaymentState.CAPTURED),
    ],
)
def test_a_charge_is_told_as_the_vendor_has_it(payer: Payer, outcome: str, state: PaymentState) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id
    payment_id = payer.pay(order_id, outcome)

    assert told(payer.gateway().collect(order_id, payer.price)) == [(payment_id, state, payer.price)]


def test_a_pending_charge_is_captured_in_the_end(payer: Payer) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id
    payment_id = payer.pay(order_id, "pending")
    payer.finish(order_id)

    assert told(payer.gateway().collect(order_id, payer.price)) == [(payment_id, PaymentState.CAPTURED, payer.price)]


@pytest.mark.parametrize(
    ("fault", "paid"),
    [
        ({"kind": "amount_altered", "amount": 100}, lambda price: Money(100, price.currency)),
        ({"kind": "currency_altered", "currency": "EUR"}, lambda price: Money(price.amount_minor, "EUR")),
    ],
)
def test_a_charge_of_other_figures_is_told_with_the_vendors_figures(
    payer: Payer, fault: dict[str, Any], paid: Callable[[Money], Money]
) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id
    payer.sandbox.fault(payer.name, call="payments.pay" if payer.name == "razorpay" else "sessions.pay", **fault)
    payment_id = payer.pay(order_id)

    assert told(payer.gateway().collect(order_id, payer.price)) == [
        (payment_id, PaymentState.CAPTURED, paid(payer.price))
    ]


def test_collect_of_an_order_that_the_vendor_does_not_know_fails_for_good(payer: Payer) -> None:
    with pytest.raises(ProviderError) as error:
        payer.gateway().collect(payer.unknown_order_id, payer.price)

    assert error.value.permanent is True


def test_find_order_names_the_order_of_a_payment(payer: Payer) -> None:
    gateway = payer.gateway()
    orders = [gateway.create_order(make_request(payer.price, receipt=f"r{number}")) for number in range(2)]
    payments = [payer.pay(order.provider_order_id) for order in orders]

    assert [gateway.find_order(payment_id) for payment_id in payments] == [order.provider_order_id for order in orders]


def test_find_order_of_a_payment_that_the_vendor_does_not_know_is_none(payer: Payer) -> None:
    payer.pay(payer.gateway().create_order(make_request(payer.price)).provider_order_id)

    assert payer.gateway().find_order(payer.unknown_payment_id) is None


@pytest.mark.parametrize("method", ["create", "collect", "find"])
@pytest.mark.parametrize("kind", ["refuse", "html_502", "bare_500", "rate_limited"])
def test_trouble_is_a_provider_error_that_may_pass(payer: Payer, kind: str, method: str) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price, receipt="earlier")).provider_order_id
    payer.sandbox.fault(payer.name, kind, payer.calls[method], times=None)

    with pytest.raises(ProviderError) as error:
        _ask(payer, method, order_id)()

    assert error.value.permanent is False
    assert len(payer.books()) == 1


@pytest.mark.parametrize("method", ["collect", "find"])
def test_a_lost_answer_to_a_question_is_asked_for_again(payer: Payer, method: str) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id
    payer.sandbox.fault(payer.name, "drop", payer.calls[method])

    assert _ask(payer, method, order_id)() == ([] if method == "collect" else None)


def test_answers_that_are_always_lost_are_a_provider_error(payer: Payer) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price)).provider_order_id
    payer.sandbox.fault(payer.name, "drop", payer.calls["collect"], times=None)

    with pytest.raises(ProviderError) as error:
        payer.gateway().collect(order_id, payer.price)

    assert error.value.permanent is False


@pytest.mark.parametrize("method", ["create", "collect", "find"])
def test_a_vendor_that_hangs_is_given_up(payer: Payer, settings: Settings, method: str) -> None:
    order_id = payer.gateway().create_order(make_request(payer.price, receipt="earlier")).provider_order_id
    settings.VENDOR_TIMEOUT = (0.2, 0.2)
    payer.sandbox.fault(payer.name, "hang", payer.calls[method], times=None, seconds=4)

    with pytest.raises(ProviderError) as error:
        _ask(payer, method, order_id)()

    assert error.value.permanent is False
    assert len(payer.books()) == 1


@pytest.mark.parametrize("method", ["create", "collect", "find"])
def test_a_vendor_that_answers_oddly_is_a_provider_error(payer: Payer, settings: Settings, method: str) -> None:
    setattr(settings, f"{payer.name.upper()}_API_URL", "https://vendor.test")
    ask = _ask(payer, method, payer.unknown_order_id)

    for body in ODD_ANSWERS:
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
            for verb in (responses.GET, responses.POST):
                mock.add(verb, re.compile("https://vendor.test/.*"), body=body)
            assert _refused_or_empty(ask), body


def _refused_or_empty(ask: Callable[[], object]) -> bool:
    try:
        return ask() in ([], None)
    except ProviderError as error:
        return not error.permanent


def test_wrong_credentials_are_not_the_last_word(payer: Payer, settings: Settings) -> None:
    settings.RAZORPAY_KEY_SECRET, settings.STRIPE_SECRET_KEY = "rzp_of_somebody_else", "sk_test_of_somebody_else"

    for method in ("create", "collect", "find"):
        with pytest.raises(ProviderError) as error:
            _ask(payer, method, payer.unknown_order_id)()
        assert error.value.permanent is False, method


def test_no_error_quotes_what_was_sent(payer: Payer) -> None:
    payer.sandbox.fault(payer.name, "bare_500", times=None)

    with pytest.raises(ProviderError) as error:
        payer.gateway().create_order(make_request(payer.price, description="Jane's session"))

    assert [word for word in ("jane", "Jane", "whsec", "sandbox") if word in str(error.value)] == []
