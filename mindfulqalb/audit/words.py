"""How the back office speaks of what the mechanisms record about people, staff and their own work."""

from __future__ import annotations

from mindfulqalb.staff.subjects import teach_kind
from mindfulqalb.staff.words import Topic, teach

for kind, title, page in (
    ("legal_hold", "Legal hold", "retention.legalhold"),
    ("mail", "Mail", "mail.sentmail"),
    ("outbox", "Outbox message", "outbox.outboxmessage"),
    ("staff", "Staff member", "staff.staffmember"),
    ("subject_request", "Request", "subject_requests.subjectrequest"),
    ("webhook", "Webhook delivery", "webhooks.webhookdelivery"),
):
    teach_kind(kind, title, page)
teach(Topic.MAIL, {"checkpoint": "a signed checkpoint, to whoever keeps them"})
teach(
    Topic.ACT,
    {
        "encryption.reencrypted": "Records were moved to the new encryption key",
        "personal_data.gathered": "All that is held on a person was gathered",
        "retention.purge_finished": "A purge came to its end",
        "retention.purged": "Records went under the timetable",
        "retention.rule_changed": "A retention rule was changed",
        "staff.created": "An account was made",
        "staff.logged_out_everywhere": "All sessions of somebody were ended",
        "staff.recovery_code_used": "A recovery code was used",
        "staff.recovery_codes_renewed": "New recovery codes were made",
        "staff.second_factor_enrolled": "An authenticator app was set up",
        "staff.second_factor_refused": "A wrong second factor was typed",
        "staff.second_factor_reset": "A second factor was reset",
        "staff.signed_in": "Somebody logged in",
        "staff.token_issued": "A program was given access",
        "staff.token_revoked": "A program's access was ended",
        "subject_request.answered": "What a person asked was done",
        "subject_request.closed": "A request was closed",
        "subject_request.erasure_begun": "An erasure was begun",
        "subject_request.received": "A request was received",
        "subject_request.verified": "Somebody's identity was verified",
    },
)
