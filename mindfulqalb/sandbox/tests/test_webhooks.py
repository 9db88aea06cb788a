"""Signed webhooks: what is sent, how it is signed, and each fault of delivery."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from mindfulqalb.sandbox.tests.clients import (
    FREE,
    book,
    iso,
    local_moment,
    make_order,
    make_session,
    razorpay_client,
    stripe_client,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from mindfulqalb.sandbox.tests.webhook_receiver import Delivery, WebhookReceiver

PAID = ["payment.authorized", "payment.captured", "order.paid"]


def read(delivery: Delivery) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(delivery.body)
    return body


def names(deliveries: list[Delivery]) -> list[str]:
    bodies = [read(delivery) for delivery in deliveries]
    return [str(body.get("triggerEvent") or body.get("type") or body.get("event")) for body in bodies]


def signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verified(delivery: Delivery) -> Any:
    """Let Stripe's SDK check and read an event."""
    header = delivery.headers["Stripe-Signature"]
    client = stripe.StripeClient("sk_test_sandbox")
    return client.construct_event(delivery.body, header, "whsec_sandbox_stripe")


def pay(sandbox: SandboxProcess) -> str:
    return str(sandbox.pay_razorpay(make_order(sandbox)["id"])["razorpay_payment_id"])


def test_calcom_tells_of_a_booking(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    booking = book(sandbox, local_moment(3, 10), metadata={"ref": "abc"})

    delivery = receiver.await_deliveries(1)[0]

    assert delivery.path == "/api/webhooks/calcom"
    assert delivery.headers["X-Cal-Signature-256"] == signature("whsec_sandbox_calcom", delivery.body)
    assert delivery.headers["X-Cal-Webhook-Version"] == "2021-10-20"
    payload = read(delivery)["payload"]
    expected = {
        "uid": booking["uid"],
        "bookingId": booking["id"],
        "status": "ACCEPTED",
        "startTime": iso(local_moment(3, 10)),
        "length": 60,
        "type": "individual-video",
        "metadata": {"ref": "abc", "videoCallUrl": booking["location"]},
    }
    assert names([delivery]) == ["BOOKING_CREATED"]
    assert {name: payload[name] for name in expected} == expected


def test_calcom_tells_of_a_move_and_a_cancellation(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    old = book(sandbox, local_moment(3, 10), metadata={"ref": "abc"})
    new = sandbox.change_booking(old["uid"], "reschedule", start=iso(local_moment(3, 14)))
    sandbox.change_booking(new["uid"], "cancel", reason="ill")

    deliveries = receiver.await_deliveries(3)

    assert names(deliveries) == ["BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED"]
    moved, cancelled = (read(delivery)["payload"] for delivery in deliveries[1:])
    assert (moved["uid"], moved["rescheduleUid"], moved["rescheduleId"]) == (new["uid"], old["uid"], old["id"])
    assert (cancelled["uid"], cancelled["status"], cancelled["cancellationReason"]) == (new["uid"], "CANCELLED", "ill")
    assert cancelled["startTime"] == iso(local_moment(3, 14)).replace("Z", "+00:00")
    assert "metadata" not in cancelled


def test_calcom_tells_of_requests_and_their_end(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.turn(requiresConfirmation=[FREE])
    wanted = book(sandbox, local_moment(3, 10), eventTypeId=FREE, metadata={"ref": "abc"})
    sandbox.change_booking(wanted["uid"], "confirm")
    unwanted = book(sandbox, local_moment(3, 12), eventTypeId=FREE)
    sandbox.change_booking(unwanted["uid"], "decline", reason="away")

    deliveries = receiver.await_deliveries(4)

    assert names(deliveries) == ["BOOKING_REQUESTED", "BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_REJECTED"]
    payloads = [read(delivery)["payload"] for delivery in deliveries]
    assert payloads[0]["metadata"] == {"ref": "abc"}
    assert payloads[1]["metadata"] == {"videoCallUrl": wanted["location"]}
    assert (payloads[3]["status"], payloads[3]["rejectionReason"]) == ("REJECTED", "away")


def test_calcom_tells_who_did_not_come_and_when_it_ended(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    uid = book(sandbox, local_moment(3, 10))["uid"]
    sandbox.advance((local_moment(3, 12) - local_moment(0, 0)).total_seconds())
    sandbox.change_booking(uid, "no-show")
    sandbox.change_booking(uid, "meeting-ended")

    deliveries = receiver.await_deliveries(3)

    no_show, ended = (read(delivery) for delivery in deliveries[1:])
    assert no_show["payload"]["bookingUid"] == uid
    assert no_show["payload"]["attendees"] == [{"email": "asha@example.com", "noShow": True}]
    assert (ended["triggerEvent"], ended["uid"], ended["attendees"][0]["noShow"]) == ("MEETING_ENDED", uid, True)


def test_calcom_tries_once(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    receiver.statuses = [500]
    book(sandbox, local_moment(3, 10))

    finished = sandbox.await_webhooks()

    assert [(entry["outcome"], entry["answers"]) for entry in finished] == [("given up", ["500"])]


def test_razorpay_tells_of_a_payment(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    payment_id = pay(sandbox)

    deliveries = receiver.await_deliveries(3)

    assert names(deliveries) == PAID
    assert {delivery.path for delivery in deliveries} == {"/api/webhooks/razorpay"}
    for delivery in deliveries:
        assert delivery.headers["X-Razorpay-Signature"] == signature("whsec_sandbox_razorpay", delivery.body)
        assert read(delivery)["payload"]["payment"]["entity"]["id"] == payment_id
    assert len({delivery.headers["x-razorpay-event-id"] for delivery in deliveries}) == 3
    authorized, _, order_paid = (read(delivery) for delivery in deliveries)
    assert authorized["payload"]["payment"]["entity"]["status"] == "authorized"
    assert order_paid["contains"] == ["payment", "order"]
    assert order_paid["payload"]["order"]["entity"]["status"] == "paid"


def test_razorpay_webhook_is_verified_by_its_sdk(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    pay(sandbox)
    delivery = receiver.await_deliveries(1)[0]
    client = razorpay_client(sandbox)

    with client.session:
        header = delivery.headers["X-Razorpay-Signature"]
        assert client.utility.verify_webhook_signature(delivery.body.decode(), header, "whsec_sandbox_razorpay")


def test_razorpay_tells_of_failure_and_refund(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    order_id = make_order(sandbox)["id"]
    sandbox.pay_razorpay(order_id, "failed")
    payment_id = sandbox.pay_razorpay(order_id)["razorpay_payment_id"]
    client = razorpay_client(sandbox)
    with client.session:
        client.payment.refund(payment_id, {})

    deliveries = receiver.await_deliveries(6)

    assert names(deliveries) == ["payment.failed", *PAID, "refund.created", "refund.processed"]
    assert read(deliveries[0])["payload"]["payment"]["entity"]["error_reason"] == "payment_failed"
    refunded = read(deliveries[5])["payload"]
    assert (refunded["refund"]["entity"]["status"], refunded["payment"]["entity"]["status"]) == (
        "processed",
        "refunded",
    )


def test_stripe_tells_of_a_payment_and_its_refund(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    session = make_session(sandbox)
    intent = sandbox.pay_stripe(session.id)["session"]["payment_intent"]
    stripe_client(sandbox).v1.refunds.create(params={"payment_intent": intent})

    deliveries = receiver.await_deliveries(3)

    assert {delivery.path for delivery in deliveries} == {"/api/webhooks/stripe"}
    events = [verified(delivery) for delivery in deliveries]
    assert [event.type for event in events] == ["checkout.session.completed", "refund.created", "charge.refunded"]
    assert (events[0].data.object.id, events[0].data.object.payment_status) == (session.id, "paid")
    assert events[1].data.object.payment_intent == intent


@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_stripe_tells_of_a_delayed_payment(sandbox: SandboxProcess, receiver: WebhookReceiver, end: str) -> None:
    session = make_session(sandbox)
    sandbox.pay_stripe(session.id, "delayed")
    sandbox.settle("stripe/sessions", session.id, end)

    events = [verified(delivery) for delivery in receiver.await_deliveries(2)]

    assert [event.type for event in events] == ["checkout.session.completed", f"checkout.session.async_payment_{end}"]
    assert events[0].data.object.payment_status == "unpaid"


def test_stripe_tells_of_expiry_and_of_a_failed_refund(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    stripe_client(sandbox).v1.checkout.sessions.expire(make_session(sandbox).id)
    intent = sandbox.pay_stripe(make_session(sandbox).id)["session"]["payment_intent"]
    refund = stripe_client(sandbox).v1.refunds.create(params={"payment_intent": intent})
    sandbox.settle("stripe/refunds", refund.id, "failed")

    assert names(receiver.await_deliveries(6)) == [
        "checkout.session.expired",
        "checkout.session.completed",
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
    ]


def test_failed_delivery_is_repeated_until_it_arrives(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    receiver.statuses = [500, 404]
    sandbox.pay_stripe(make_session(sandbox).id)

    finished = sandbox.await_webhooks()

    assert [(entry["outcome"], entry["answers"]) for entry in finished] == [("delivered", ["500", "404", "200"])]
    assert {verified(delivery).id for delivery in receiver.deliveries} == {finished[0]["eventId"]}


def test_switched_off_webhooks_are_not_sent(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.turn(webhooksRazorpay=False)
    pay(sandbox)
    sandbox.pay_stripe(make_session(sandbox).id)

    sandbox.await_webhooks()

    assert names(receiver.deliveries) == ["checkout.session.completed"]


def test_first_arrives_before_the_answer(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.turn(webhookDelaySeconds=60)
    sandbox.fault("webhooks", "first", "order.paid")

    pay(sandbox)

    assert names(receiver.deliveries) == PAID


def test_late_arrives_after_the_others(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.fault("webhooks", "late", "payment.authorized", seconds=0.5)

    pay(sandbox)

    assert names(receiver.await_deliveries(3)) == ["payment.captured", "order.paid", "payment.authorized"]


def test_reversed_arrives_backwards(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.fault("webhooks", "reversed", "razorpay.*")

    pay(sandbox)

    assert names(receiver.await_deliveries(3)) == PAID[::-1]


def test_twice_is_the_same_event(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.fault("webhooks", "twice", "order.paid")

    pay(sandbox)

    *_, first, second = receiver.await_deliveries(4)
    assert first.body == second.body
    assert first.headers["x-razorpay-event-id"] == second.headers["x-razorpay-event-id"]


def test_new_event_id_is_the_same_body_under_another_id(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.fault("webhooks", "new_event_id", "order.paid")
    sandbox.fault("webhooks", "new_event_id", "checkout.session.completed")

    pay(sandbox)
    *_, first, second = receiver.await_deliveries(4)
    receiver.clear()
    sandbox.pay_stripe(make_session(sandbox).id)
    one, other = (verified(delivery).to_dict() for delivery in receiver.await_deliveries(2))

    assert first.body == second.body
    assert first.headers["x-razorpay-event-id"] != second.headers["x-razorpay-event-id"]
    assert one.pop("id") != other.pop("id")
    assert one == other


def test_never_is_not_sent_but_remembered(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.fault("webhooks", "never", "order.paid")

    pay(sandbox)
    sandbox.await_webhooks()

    assert names(receiver.deliveries) == PAID[:2]
    outcomes = {entry["event"]: entry["outcome"] for entry in sandbox.webhooks()["finished"]}
    assert outcomes == {"payment.authorized": "delivered", "payment.captured": "delivered", "order.paid": "never"}


@pytest.mark.parametrize("vendor", ["calcom", "razorpay", "stripe"])
def test_bad_signature_does_not_verify(sandbox: SandboxProcess, receiver: WebhookReceiver, vendor: str) -> None:
    sandbox.fault("webhooks", "bad_signature", f"{vendor}.*")

    book(sandbox, local_moment(3, 10))
    pay(sandbox)
    sandbox.pay_stripe(make_session(sandbox).id)
    sandbox.await_webhooks()

    bad = [delivery.path.rpartition("/")[2] for delivery in receiver.deliveries if not is_genuine(delivery)]
    assert bad == [vendor]


def is_genuine(delivery: Delivery) -> bool:
    if "Stripe-Signature" in delivery.headers:
        try:
            return bool(verified(delivery))
        except stripe.SignatureVerificationError:
            return False
    vendor = delivery.path.rpartition("/")[2]
    given = delivery.headers.get("X-Cal-Signature-256") or delivery.headers["X-Razorpay-Signature"]
    return given == signature(f"whsec_sandbox_{vendor}", delivery.body)


def test_finished_webhook_can_be_sent_again(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.pay_stripe(make_session(sandbox).id)
    number = sandbox.await_webhooks()[0]["id"]

    sandbox.control("POST", f"webhooks/{number}/resend")

    first, second = receiver.await_deliveries(2)
    assert first.body == second.body


def test_book_of_webhooks_holds_headers_that_verify(sandbox: SandboxProcess, receiver: WebhookReceiver) -> None:
    sandbox.pay_stripe(make_session(sandbox).id)

    entry = sandbox.await_webhooks()[0]

    client, header = stripe.StripeClient("sk_test_sandbox"), entry["headers"]["Stripe-Signature"]
    event = client.construct_event(entry["body"], header, "whsec_sandbox_stripe")
    assert (event.id, entry["body"]) == (entry["eventId"], receiver.deliveries[0].body.decode())
