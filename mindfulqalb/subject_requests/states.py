"""What persons may ask, and how it ends."""

from __future__ import annotations

from datetime import timedelta

from django.db import models


class RequestKind(models.TextChoices):
    """The rights of DPDP Act s. 11-14 and GDPR 15-20."""

    ACCESS = "access", "See what is held"
    CORRECTION = "correction", "Correct it"
    ERASURE = "erasure", "Erase it"
    WITHDRAWAL = "withdrawal", "Withdraw consent"
    GRIEVANCE = "grievance", "Complain"
    NOMINATION = "nomination", "Name somebody to act for them"


class Verification(models.TextChoices):
    """How we know that it is them."""

    SIGNED_LINK = "signed_link", "They came by their signed link"
    MAIL_ANSWERED = "mail_answered", "They answered a mail to the address that we hold"
    KNOWN = "known", "The therapist knows them"
    DOCUMENT_SEEN = "document_seen", "A document was seen, and not kept"


class Outcome(models.TextChoices):
    """How a request ended."""

    DONE = "done", "Done"
    PARTLY = "partly", "Done in part: the law keeps the rest"
    REFUSED = "refused", "Refused, with the reason told"


# A month by GDPR 12(3); grievances ninety days by DPDP rule 14(3).
DUE = {kind: timedelta(days=90 if kind == RequestKind.GRIEVANCE else 30) for kind in RequestKind}
