"""One row of every kind that the admin shows, all about one client."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import Group

from bookings.models import CalendarFinding, Reminder
from bookings.tests.builders import NOW, make_booking, make_payment, make_wish
from bookings.wishes import Customer
from consent.evidence import Circumstances
from mindfulqalb.audit.checkpoints import take_checkpoint
from mindfulqalb.audit.models import AuditVerification
from mindfulqalb.bulk_actions.models import BulkAction, BulkActionRow
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.retention.holds import place_hold
from mindfulqalb.retention.models import Tombstone
from mindfulqalb.retention.restrictions import restrict_person
from mindfulqalb.retention.timetable import load_shipped_rules
from mindfulqalb.subject_requests.services import receive_request
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Dispute, Refund
from payments.receipts.services import Recipient, issue_receipt

CLIENT = Customer(name="Xanthippe Quuxworth", email="xanthippe@quuxworth.example", phone="+919812345670")
ADDRESS, CLAIMED = "203.0.113.77", "198.51.100.99"


def make_everything() -> None:
    """One row of every kind about one client."""
    seen = Circumstances(address=ADDRESS, address_source="peer", user_agent="Firefox", claimed_address=CLAIMED)
    payment = make_payment()
    booking = make_booking(wish=make_wish(customer=CLIENT, circumstances=seen), payment=payment)
    Dispute.objects.create(
        payment=payment, provider_dispute_id="disp_1", amount_minor=100, currency="INR", noticed_at=NOW
    )
    Refund.objects.create(
        payment=payment, reason="cancelled", amount_minor=100, currency="INR", actor="system", requested_at=NOW
    )
    issue_receipt(payment_id=payment.id, recipient=Recipient(name=CLIENT.name), now=NOW)
    WebhookDelivery.objects.create(
        vendor="razorpay",
        event_id="evt_1",
        event_type="payment.captured",
        body=CLIENT.email,
        body_digest="0" * 64,
        received_at=NOW,
    )
    CalendarFinding.objects.create(
        kind="CONFLICT",
        calendar_uid="uid1",
        booking=booking,
        starts_at=NOW,
        client_name=CLIENT.name,
        client_email=CLIENT.email,
        found_at=NOW,
        seen_at=NOW,
    )
    Reminder.objects.create(booking=booking, kind="day", session_starts_at=booking.starts_at, created_at=NOW)
    about = f"booking:{booking.id}"
    SentMail.objects.create(
        key=uuid4(),
        template="confirmation",
        about=about,
        recipient_hash=email_digest(CLIENT.email),
        content=f"Dear {CLIENT.name}",
        sent_at=NOW,
    )
    OutboxMessage.objects.create(
        topic="email.confirmation", lane=about, payload={"booking_id": str(booking.id)}, due_at=NOW, created_at=NOW
    )
    asked = BulkAction.objects.create(
        key=uuid4(),
        actor="system",
        model="bookings.Booking",
        action="confirm_again",
        title="Confirm again",
        row_count=1,
        not_done_count=1,
        asked_at=NOW,
    )
    BulkActionRow.objects.create(
        bulk_action=asked, position=0, object_id=str(booking.id), name=str(booking), state="REFUSED", sentence="No."
    )
    Group.objects.create(name="Auditors")
    load_shipped_rules()
    place_hold(email=CLIENT.email, reason="A claim", actor="system", now=NOW)
    restrict_person(email=CLIENT.email, since=NOW)
    Tombstone.objects.create(
        kind="mail", rule="mail/IN", action="erase", row_count=1, digest="0" * 64, actor="system", purged_at=NOW
    )
    receive_request(kind="access", email=CLIENT.email, wish=CLIENT.name, actor="system", now=NOW)
    take_checkpoint(now=NOW)
    AuditVerification.objects.create(
        started_at=NOW, finished_at=NOW, event_count=2, row_count=1, erased_count=0, finding_count=0, findings=[]
    )
