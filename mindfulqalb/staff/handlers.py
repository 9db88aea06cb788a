"""What the outbox brings to staff."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from mindfulqalb.mail.services import Letter, send_letter
from mindfulqalb.outbox.registry import Delivery, handles
from mindfulqalb.staff.models import StaffMember


@handles("email.new_device")
def send_new_device(delivery: Delivery) -> None:
    """Tell a person that their account was used from a device not seen before."""
    _send_to_member(delivery, "new_device")


@handles("email.codes_refused")
def send_codes_refused(delivery: Delivery) -> None:
    """Tell a person that somebody who knows their password guesses at the codes of their app."""
    _send_to_member(delivery, "codes_refused")


def _send_to_member(delivery: Delivery, template: str) -> None:
    member = StaffMember.objects.get(id=UUID(delivery.payload["member_id"]))
    if not member.email:
        return
    letter = Letter(
        template=template,
        recipient=member.email,
        context={"customer_first_name": member.first_name, "account_url": f"{settings.SITE_URL}/admin/account/"},
        about=f"staff:{member.id}",
    )
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)
