"""The mail server: what it takes, and what it refuses."""

from __future__ import annotations

import smtplib
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING

from django.conf import settings

from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.core.mail import EmailMultiAlternatives

# RFC 5321: 4xx may pass, 5xx stays. In answer to the mail itself 550 and up are about this mailbox, and not about us;
# whatever a server refuses before it knows for whom the mail is, is about us.
REFUSED_FOR_GOOD = 500
MAILBOX_REFUSED = 550


class MailRefused(ProviderError):
    """The mail server will never take this mail for this reader; `status` is its code."""

    def __init__(self, message: str, *, status: int) -> None:
        """Keep the code."""
        super().__init__(message, permanent=True)
        self.status = str(status)


def own_headers(key: UUID, now: datetime) -> dict[str, str]:
    """Name a mail by its key, so that a report leads back to it; our copy must not make either anew."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    return {"Message-ID": f"<{key}@{domain}>", "Date": formatdate(now.timestamp())}


def hand_over(message: EmailMultiAlternatives) -> None:
    """Give a mail to the mail server. Raises ProviderError, and MailRefused when asking again is of no use."""
    if not message.recipients():
        raise ProviderError("letter without recipient", permanent=True)
    _return_to_reader_of_bounces(message)
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise _refusal(f"mail server refused the address: {codes}", min(codes), REFUSED_FOR_GOOD) from None
    except smtplib.SMTPDataError as error:
        raise _refusal(f"mail server answered {error.smtp_code}", error.smtp_code, MAILBOX_REFUSED) from None
    except smtplib.SMTPResponseException as error:
        raise ProviderError(f"mail server answered {error.smtp_code}", permanent=False) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ProviderError(f"mail server could not be reached: {type(error).__name__}", permanent=False) from None


def _return_to_reader_of_bounces(message: EmailMultiAlternatives) -> None:
    # Reports go to the envelope's sender; what people answer goes to the one that they see.
    if settings.BOUNCE_ADDRESS:
        message.extra_headers["From"] = message.from_email
        message.from_email = settings.BOUNCE_ADDRESS


def _refusal(said: str, code: int, threshold: int) -> ProviderError:
    return MailRefused(said, status=code) if code >= threshold else ProviderError(said, permanent=False)
