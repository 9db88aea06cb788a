"""How the back office speaks of consent."""

from __future__ import annotations

from mindfulqalb.staff.subjects import teach_kind
from mindfulqalb.staff.words import Topic, teach

teach_kind("consent", "Consent", "consent.consentrecord")
teach(
    Topic.ACT,
    {
        "consent.given": "Consent was given",
        "consent.renewed": "Consent was given again",
        "consent.withdrawn": "Consent was withdrawn",
        "consent.expired": "Consent has expired",
        "consent.superseded": "Consent to a newer text has taken its place",
        "consent.document_published": "A document was published",
        "consents.exported": "Consent records were exported",
    },
)
