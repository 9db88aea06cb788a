"""Who may open which page and do what there. A page, action or call that is not decided here fails the tests.

Roles by letter: Therapist, front Desk, Finance, Compliance auditor, Administrator.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from mindfulqalb.api.schema import HTTP_METHODS
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FINANCE, FRONT_DESK, THERAPIST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LETTERS = {THERAPIST: "T", FRONT_DESK: "D", FINANCE: "F", COMPLIANCE_AUDITOR: "C", ADMINISTRATOR: "A"}
ALL = "TDFCA"


class Decision(NamedTuple):
    """Who may look at the rows of a model, and who may write them by hand."""

    see: str
    add: str = ""
    change: str = ""
    delete: str = ""


MODELS = {
    "audit.AuditCheckpoint": Decision("C"),
    "audit.AuditEvent": Decision("C"),
    "audit.AuditSeal": Decision("C"),
    "audit.AuditVerification": Decision("C"),
    "auth.Group": Decision("A"),
    "bookings.Booking": Decision("TDA"),
    "bookings.CalendarFinding": Decision("TDA"),
    "bookings.LedgerEntry": Decision("FA"),
    "bookings.Reminder": Decision("DA"),
    "bulk_actions.BulkAction": Decision(ALL),  # each their own
    "catalogue.CancellationRule": Decision("FA", add="A", change="A", delete="A"),
    "catalogue.SessionOffer": Decision("TDFA", add="A", change="A"),
    "catalogue.Therapist": Decision("DA", add="A", change="A"),
    # What was published changes for nobody; the row of the tests is.
    "consent.ConsentDocument": Decision("CA", add="A"),
    "consent.ConsentRecord": Decision("C"),
    "mail.SentMail": Decision("DA"),
    "outbox.OutboxMessage": Decision("A"),
    "payments.Payment": Decision("FA"),
    "payments.Dispute": Decision("FA"),
    "payments.Refund": Decision("FA"),
    "receipts.Receipt": Decision("FA"),
    "retention.LegalHold": Decision("CA", add="C"),
    "retention.Restriction": Decision("CA"),
    "retention.RetentionRule": Decision("CA"),
    "retention.Tombstone": Decision("CA"),
    "staff.StaffMember": Decision("A", add="A", change="A"),
    "subject_requests.SubjectRequest": Decision("CA", add="A"),
    "webhooks.WebhookDelivery": Decision("A"),
}

# By model, then by action.
ACTIONS = {
    "bookings.Booking": {
        "confirm_again": "DA",
        "cancel_for_client": "DA",
        "cancel_for_practice": "DA",
        "note_absence": "TDA",
        "note_attendance": "TDA",
    },
    "bookings.CalendarFinding": {"put_back": "DA", "give_the_rest": "DA", "settle_by_hand": "DA"},
    "catalogue.CancellationRule": {"delete_selected": "A"},
    "consent.ConsentDocument": {"publish": "A", "translate_into_hindi": "A"},
    "mail.SentMail": {"resend": "DA"},
    "outbox.OutboxMessage": {"retry": "A"},
    "payments.Payment": {"refund_what_is_left": "FA", "accept": "FA"},
    "payments.Refund": {"retry": "FA"},
    "retention.LegalHold": {"release": "C"},
    "staff.StaffMember": {"reset_second_factor": "A", "log_out": "A"},
    "subject_requests.SubjectRequest": dict.fromkeys(
        (
            *(
                "answer",
                "begin_erasure",
                "gather_json",
                "gather_page",
                "closed_done",
                "closed_partly",
                "closed_refused",
            ),
            *("verified_signed_link", "verified_mail_answered", "verified_known", "verified_document_seen"),
        ),
        "A",
    ),
    "webhooks.WebhookDelivery": {"reprocess": "A"},
}

# By the name of the route; those that every model has are decided above.
PAGES = {
    "account": ALL,
    "app_list": ALL,
    "auth_user_password_change": "A",
    # Only for fields that somebody may fill in: there are none yet.
    "autocomplete": "",
    "bookings_booking_move": "DA",
    "bookings_booking_reveal": "TDA",
    "bookings_calendarfinding_reveal": "TDA",
    "consent_consentrecord_export": "C",
    "consent_consentrecord_reveal": "C",
    "subject_requests_subjectrequest_reveal": "A",
    "index": ALL,
    "jsi18n": ALL,
    "log-out-everywhere": ALL,
    "login": ALL,
    "logout": ALL,
    "password_change": ALL,
    "payments_payment_refund": "FA",
    "password_change_done": ALL,
    "receipts_pdf": "FA",
    "receipts_receipt_reveal": "FA",
    "recovery-codes": ALL,
    "second-factor": ALL,
    "second-factor-set-up": ALL,
    # Nothing of ours stands on a public page under its own id.
    "view_on_site": "",
}

CALLS = {
    "get /api/staff/bookings": "TDA",
    "get /api/staff/bookings/{pk}": "TDA",
    "post /api/staff/consents/export": "C",
}

OF_EVERY_MODEL = ("changelist", "add", "history", "delete", "change")
REGISTERED = {model._meta.label: model for model in admin.site._registry}


def routes(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Walk through all routes."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern


def model_page(label: str, page: str) -> str:
    """Name the route of a page that every model has."""
    return f"{label.lower().replace('.', '_')}_{page}"


def admin_pages() -> set[str]:
    """Name the routes of the admin that not every model has; its two catch-alls only lead to others."""
    named = {str(pattern.name) for _, pattern in routes(admin.site.get_urls()) if pattern.name}
    return named - {model_page(label, page) for label in REGISTERED for page in OF_EVERY_MODEL}


def staff_calls() -> set[str]:
    """Name the calls of the staff API."""
    calls = set()
    for route, pattern in routes(get_resolver().url_patterns):
        if route.startswith(("api/^staff/", "api/staff/")):
            path = "/" + re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", route).replace("^", "").replace("$", "")
            # HEAD is whatever GET is.
            methods = set(getattr(pattern.callback, "actions", HTTP_METHODS)) - {"head"}
            calls |= {f"{method} {path}" for method in methods}
    return calls


def actions_of_models() -> dict[str, set[str]]:
    """Name the actions of each model, but the one that Django offers for all."""
    return {
        label: {name for name in admin.site._registry[model].actions or () if isinstance(name, str)}
        for label, model in REGISTERED.items()
    }
