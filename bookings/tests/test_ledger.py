"""The books balance, whatever happened to the money."""

from __future__ import annotations

import io
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bookings.handlers import send_ledger
from bookings.ledger import LedgerLine, ledger, needing_a_person
from bookings.services.cancellation import cancel_by_client, cancel_by_practice
from bookings.services.reporting import request_daily_report
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment, make_wish
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery
from payments.models import Dispute, Payment, Refund
from payments.states import Attention, DisputeState, RefundState

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries, Settings

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

STATES: dict[BookingState | None, str] = {
    None: "credited",
    BookingState.REJECTED: "credited",
    BookingState.EXPIRED: "credited",
    BookingState.PENDING: "booked",
    BookingState.CONFIRMED: "booked",
    BookingState.COMPLETED: "booked",
    BookingState.CANCELLED: "retained",
    BookingState.NO_SHOW: "retained",
}


def _book(payment: Payment, state: BookingState, *, days: int = 0, **overrides: Any) -> Booking:
    wish = make_wish(day=date(2026, 12, 4) + timedelta(days=days))
    in_calendar = "uid-1" if state == BookingState.CONFIRMED else None
    return make_booking(wish=wish, state=state, payment=payment, calcom_booking_id=in_calendar, **overrides)


def _refund(payment: Payment, amount: int, state: str = "PROCESSED", **overrides: Any) -> Refund:
    values = {"reason": "staff", "currency": payment.captured_currency, "actor": "system", "requested_at": NOW}
    return payment.refunds.create(amount_minor=amount, state=state, **(values | overrides))


def _line(**accounts: int) -> LedgerLine:
    return LedgerLine(**({"currency": "INR", "captured": 129900, "refunded": 0} | accounts))  # type: ignore[arg-type]


@pytest.mark.parametrize(("state", "account"), STATES.items())
def test_money_stands_where_its_session_does(state: BookingState | None, account: str) -> None:
    payment = make_payment()
    if state is not None:
        _book(payment, state)

    assert ledger() == [_line(**{account: 129900})]


def test_money_that_goes_back_is_refunded_from_the_asking_on() -> None:
    payment = make_payment()
    for state in ("REQUESTED", "PENDING", "PROCESSED"):
        _refund(payment, 43300, state)

    assert ledger() == [_line(refunded=129900)]


def test_half_refund_after_a_late_cancellation_retains_the_other_half() -> None:
    booking = _book(make_payment(), BookingState.CONFIRMED)

    cancel_by_client(booking_id=booking.id, now=booking.starts_at - timedelta(hours=2))

    assert ledger() == [_line(refunded=64950, retained=64950)]


def test_cancellation_by_the_practice_is_a_credit_until_it_is_spent_again() -> None:
    payment = make_payment()
    booking = _book(payment, BookingState.CONFIRMED)
    cancel_by_practice(booking_id=booking.id, actor="staff:1", now=NOW)
    credited = ledger()

    _book(payment, BookingState.PENDING, days=1)

    assert (credited, ledger()) == ([_line(credited=129900)], [_line(booked=129900)])


@pytest.mark.parametrize(
    ("attention", "account"),
    [(Attention.AMOUNT, "attention"), (Attention.SECOND_CAPTURE, "attention"), (Attention.DISPUTE, "disputed")],
)
def test_money_in_doubt_stands_by_itself_though_it_is_booked(attention: Attention, account: str) -> None:
    payment = make_payment(attention=attention)
    _book(payment, BookingState.CONFIRMED)

    assert ledger() == [_line(**{account: 129900})]
    assert needing_a_person() == [payment]


@pytest.mark.parametrize(
    ("attention", "lost", "expected"),
    [
        ("dispute_lost", 129900, {"disputed": 129900}),
        ("dispute_lost", 900, {"disputed": 900, "attention": 129000}),
        ("", 900, {"disputed": 900, "booked": 129000}),
        ("dispute", 900, {"disputed": 129900}),
    ],
)
def test_what_a_bank_took_is_disputed_and_the_rest_stands_where_it_belongs(
    attention: str, lost: int, expected: dict[str, int]
) -> None:
    payment = make_payment(attention=attention)
    _book(payment, BookingState.CONFIRMED)
    values = {"amount_minor": lost, "currency": "INR", "noticed_at": NOW}
    Dispute.objects.create(payment=payment, provider_dispute_id="disp_1", state=DisputeState.LOST, **values)
    Dispute.objects.create(payment=payment, provider_dispute_id="disp_2", state=DisputeState.WON, **values)

    assert ledger() == [_line(**expected)]
    assert ledger()[0].difference == 0
    assert needing_a_person() == ([payment] if attention and lost == 900 else [])


def test_refund_that_failed_needs_a_person_until_it_is_tried_again() -> None:
    payment = make_payment()
    _book(payment, BookingState.CANCELLED)
    _refund(payment, 129900, "FAILED")
    failed = ledger()

    _refund(payment, 129900, "REQUESTED", requested_at=NOW + timedelta(hours=1))

    assert (failed, ledger()) == ([_line(attention=129900)], [_line(refunded=129900)])


def test_rest_of_what_was_refunded_in_part_without_a_session_needs_a_person() -> None:
    payment = make_payment()
    _refund(payment, 100)

    assert (ledger(), needing_a_person()) == ([_line(refunded=100, attention=129800)], [payment])


def test_more_refunded_than_captured_needs_a_person_and_balances() -> None:
    payment = make_payment()
    _refund(payment, 129901)

    (line,) = ledger()

    assert (line.attention, line.difference, needing_a_person()) == (-1, 0, [payment])


def test_refund_in_another_currency_shows_as_a_difference() -> None:
    _refund(make_payment(), 100, currency="USD")

    (line,) = ledger()

    assert (line.refunded, line.difference) == (0, 100)


def test_ledger_counts_what_the_gateway_captured_and_each_currency_by_itself() -> None:
    make_payment(captured_amount_minor=5)
    make_payment(captured_amount_minor=1600, captured_currency="USD")
    Payment.objects.create(gateway="razorpay", item="x", amount_minor=7, currency="INR", expires_at=NOW)

    assert ledger() == [
        LedgerLine(currency="INR", captured=5, refunded=0, credited=5),
        LedgerLine(currency="USD", captured=1600, refunded=0, credited=1600),
    ]


def test_ledger_of_a_span_holds_what_was_captured_in_it() -> None:
    for hours in (-1, 0, 23, 24):
        make_payment(captured_at=NOW + timedelta(hours=hours), captured_amount_minor=100)

    (line,) = ledger(since=NOW, until=NOW + timedelta(hours=24))

    assert (line.captured, line.credited, line.difference) == (200, 200, 0)


@pytest.mark.parametrize("item_count", [1, 3])
def test_ledger_takes_two_queries(item_count: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(item_count):
        payment = make_payment()
        _book(payment, BookingState.CONFIRMED, days=number)
        _refund(payment, 1)

    with django_assert_num_queries(2):
        ledger()


SITUATIONS = st.lists(
    st.tuples(
        st.sampled_from(["INR", "USD"]),
        st.integers(1, 2**31 - 1),
        st.sampled_from(list(STATES)),
        st.sampled_from(["", "", "", "amount_mismatch", "dispute"]),
        st.lists(st.tuples(st.integers(1, 2**31 - 1), st.sampled_from(RefundState.values)), max_size=3),
        st.booleans(),
    ),
    max_size=5,
)


def _expected(
    amount: int, state: BookingState | None, attention: str, refunds: list[Any], is_released: bool
) -> Counter[str]:
    """The rules once more, in other words: one payment's money by account."""
    gone = sum(value for value, refund_state in refunds if refund_state != "FAILED")
    accounts = Counter({"captured": amount, "refunded": gone})
    account = "credited" if is_released and state == BookingState.CANCELLED else STATES[state]
    has_failed = bool(refunds) and refunds[-1][1] == "FAILED"
    if attention:
        account = "disputed" if attention == "dispute" else "attention"
    elif gone > amount or has_failed or (account == "credited" and gone):
        account = "attention"
    accounts[account] += amount - gone
    return accounts


@hypothesis_settings(max_examples=30, deadline=None)
@given(situations=SITUATIONS)
def test_ledger_balances_to_the_paisa_whatever_happened(situations: list[Any]) -> None:
    expected: dict[str, Counter[str]] = {}
    with transaction.atomic():
        for number, (currency, amount, state, attention, refunds, is_released) in enumerate(situations):
            payment = make_payment(captured_currency=currency, captured_amount_minor=amount, attention=attention)
            if state is not None:
                released = NOW if is_released and state == BookingState.CANCELLED else None
                _book(payment, state, days=number, payment_released_at=released)
            for minutes, (value, refund_state) in enumerate(refunds):
                _refund(payment, value, refund_state, requested_at=NOW + timedelta(minutes=minutes))
            one = _expected(amount, state, attention, refunds, is_released)
            expected.setdefault(currency, Counter()).update(one)
        lines = ledger()
        transaction.set_rollback(True)

    accounts = ("captured", "refunded", "booked", "retained", "credited", "disputed", "attention")
    assert {line.currency: {name: getattr(line, name) for name in accounts} for line in lines} == {
        currency: {name: counted[name] for name in accounts} for currency, counted in expected.items()
    }
    assert [line.difference for line in lines] == [0] * len(lines)
    assert {type(getattr(line, name)) for line in lines for name in accounts} <= {int}


# Who reads it


def _report(*arguments: str) -> str:
    out = io.StringIO()
    call_command("report_ledger", *arguments, stdout=out)
    return out.getvalue()


def test_report_ledger_prints_the_books_and_who_must_look() -> None:
    payment = make_payment(attention=Attention.AMOUNT)

    said = _report()

    assert "Captured                  INR 1,299.00" in said
    assert f"needs a person: {payment} INR 1,299.00" in said
    assert said.endswith("The books balance: 1 currencies.\n")


def test_report_ledger_takes_days_on_the_practices_clock() -> None:
    make_payment(captured_at=datetime(2026, 12, 1, 18, 30, tzinfo=UTC))  # midnight in Kolkata

    said = [_report("--since", day, "--until", day) for day in ("2026-12-01", "2026-12-02")]

    assert ["1,299.00" in report for report in said] == [False, True]


def test_report_ledger_fails_when_a_paisa_is_missing() -> None:
    _refund(make_payment(), 1, currency="USD")

    with pytest.raises(CommandError, match="do not balance"):
        _report()


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_report_ledger_refuses_a_day_that_is_none(day: str) -> None:
    with pytest.raises(CommandError, match="--since must be a day"):
        _report("--since", day)


def test_request_daily_report_asks_once_for_yesterday(settings: Settings) -> None:
    settings.FINANCE_EMAIL = "books@example.com"

    asked = [request_daily_report(now=NOW + timedelta(hours=hours)) for hours in (0, 1, 24)]

    assert asked == [True, False, True]
    assert list(OutboxMessage.objects.order_by("sequence").values_list("topic", "payload")) == [
        ("email.ledger", {"day": "2026-11-30"}),
        ("email.ledger", {"day": "2026-12-01"}),
    ]


def test_request_daily_report_needs_somebody_to_read_it(settings: Settings) -> None:
    settings.FINANCE_EMAIL = ""

    assert request_daily_report(now=NOW) is False


@pytest.mark.parametrize(("currency", "verdict"), [("INR", "balanced"), ("USD", "NOT BALANCED")])
def test_daily_mail_says_at_once_whether_the_books_balance(
    currency: str, verdict: str, sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.FINANCE_EMAIL = "books@example.com"
    payment = make_payment(attention=Attention.AMOUNT)
    _refund(payment, 100, currency=currency)

    send_ledger(Delivery(uuid4(), "x", "x:1", {"day": "2026-12-01"}, 1, NOW))

    (mail,) = sandbox.mailbox()
    assert (mail["to"], mail["subject"]) == (["books@example.com"], f"Books of 2026-12-01: {verdict}")
    assert [
        part for part in ("INR 1,299.00", str(payment), "/admin/bookings/ledgerentry/") if part not in mail["text"]
    ] == []
    assert SentMail.objects.get().about == "ledger:2026-12-01"


@pytest.mark.parametrize("item_count", [1, 3])
def test_admin_shows_the_books_in_a_fixed_number_of_queries(
    item_count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(item_count):
        make_payment(attention=Attention.AMOUNT)

    admin_client.get(reverse("admin:index"))  # the first click of a minute renews the session

    with django_assert_num_queries(16):
        page = admin_client.get(reverse("admin:bookings_ledgerentry_changelist")).content.decode()

    assert (page.count("pay_"), "Needs attention" in page) == (item_count, True)


def test_admin_filters_the_books_by_account(admin_client: Client) -> None:
    doubtful, fine = make_payment(attention=Attention.AMOUNT), make_payment()

    page = admin_client.get(reverse("admin:bookings_ledgerentry_changelist"), {"account": "attention"}).content.decode()

    assert [str(each.provider_payment_id) in page for each in (doubtful, fine)] == [True, False]
