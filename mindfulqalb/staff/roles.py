"""Who may do what: five roles, each with no more than its work needs.

A role is a Django group of the same name. `load_roles` gives each group just what stands here, so that a new model is
nobody's until somebody decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Iterable

THERAPIST = "Therapist"
FRONT_DESK = "Front desk"
FINANCE = "Finance"
COMPLIANCE_AUDITOR = "Compliance auditor"
ADMINISTRATOR = "Administrator"

OWN_BULK_ACTIONS = "bulk_actions.view_bulkaction"  # the page shows each person their own alone

# app_label.codename, as Django names permissions.
ROLES: dict[str, tuple[str, ...]] = {
    THERAPIST: (
        OWN_BULK_ACTIONS,
        "bookings.note_attendance",
        "bookings.reveal_booking",
        "bookings.view_booking",
        "bookings.view_calendarfinding",
        "catalogue.view_sessionoffer",
    ),
    FRONT_DESK: (
        OWN_BULK_ACTIONS,
        "bookings.view_booking",
        "bookings.cancel_booking",
        "bookings.move_booking",
        "bookings.note_attendance",
        "bookings.reveal_booking",
        "bookings.view_calendarfinding",
        "bookings.view_reminder",
        "catalogue.see_every_therapist",
        "catalogue.view_sessionoffer",
        "catalogue.view_therapist",
        "mail.resend_sentmail",
        "mail.view_sentmail",
    ),
    FINANCE: (
        OWN_BULK_ACTIONS,
        "payments.view_dispute",
        "payments.view_payment",
        "payments.view_refund",
        "payments.add_refund",
        "bookings.view_ledgerentry",
        "receipts.view_receipt",
        "catalogue.view_sessionoffer",
        "catalogue.view_cancellationrule",
    ),
    COMPLIANCE_AUDITOR: (
        OWN_BULK_ACTIONS,
        "audit.export_evidence",
        "audit.view_auditcheckpoint",
        "audit.view_auditevent",
        "audit.view_auditseal",
        "audit.view_auditverification",
        "consent.view_consentdocument",
        "consent.reveal_consentrecord",
        "consent.view_consentrecord",
        "retention.add_legalhold",
        "retention.release_legalhold",
        "retention.view_legalhold",
        "retention.view_restriction",
        "retention.view_retentionrule",
        "retention.view_tombstone",
        "subject_requests.view_subjectrequest",
    ),
    ADMINISTRATOR: (
        OWN_BULK_ACTIONS,
        "auth.view_group",
        "bookings.cancel_booking",
        "bookings.move_booking",
        "bookings.note_attendance",
        "bookings.reveal_booking",
        "bookings.view_booking",
        "bookings.view_calendarfinding",
        "bookings.view_reminder",
        "bookings.view_ledgerentry",
        "catalogue.add_cancellationrule",
        "catalogue.add_sessionoffer",
        "catalogue.add_therapist",
        "catalogue.change_cancellationrule",
        "catalogue.change_sessionoffer",
        "catalogue.change_therapist",
        "catalogue.delete_cancellationrule",
        "catalogue.see_every_therapist",
        "catalogue.view_cancellationrule",
        "catalogue.view_sessionoffer",
        "catalogue.view_therapist",
        "consent.add_consentdocument",
        "consent.change_consentdocument",
        "consent.delete_consentdocument",
        "consent.publish_consentdocument",
        "consent.view_consentdocument",
        "mail.resend_sentmail",
        "mail.view_sentmail",
        "outbox.retry_outboxmessage",
        "outbox.view_outboxmessage",
        "payments.add_refund",
        "payments.view_dispute",
        "payments.view_payment",
        "payments.view_refund",
        "receipts.view_receipt",
        "retention.view_legalhold",
        "retention.view_restriction",
        "retention.view_retentionrule",
        "retention.view_tombstone",
        "staff.add_staffmember",
        "staff.change_staffmember",
        "staff.view_staffmember",
        "subject_requests.add_subjectrequest",
        "subject_requests.change_subjectrequest",
        "subject_requests.gather_held",
        "subject_requests.view_subjectrequest",
        "webhooks.reprocess_webhookdelivery",
        "webhooks.view_webhookdelivery",
    ),
}


class UnknownPermission(LookupError):
    """A role names a permission that no model has: a slip in the table."""


def load_roles() -> None:
    """Give every role's group exactly its permissions; people keep their groups. Safe to repeat."""
    with transaction.atomic():
        for name, labels in ROLES.items():
            group, _ = Group.objects.get_or_create(name=name)
            group.permissions.set(_permissions(labels))


def _permissions(labels: Iterable[str]) -> list[Permission]:
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.select_related("content_type")
    }
    missing = sorted(set(labels) - set(known))
    if missing:
        raise UnknownPermission(", ".join(missing))
    return [known[label] for label in labels]
