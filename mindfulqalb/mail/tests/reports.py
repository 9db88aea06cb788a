"""Reports of failure as other mail servers write them."""

from __future__ import annotations

POSTFIX = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: care@mindfulqalb.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Tue,  1 Dec 2026 11:30:00 +0530 (IST)

Final-Recipient: rfc822; jane@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <jane@example.com>: no such mailbox

--cut
Content-Type: {returned}

{original}
--cut--
"""
WHOLE, HEADERS, NOTHING = "message/rfc822", "text/rfc822-headers", "text/plain"
ORIGINAL = """\
Message-ID: <{key}@mindfulqalb.example>
Subject: Your appointment is confirmed
From: care@mindfulqalb.example
To: jane@example.com

Hello Jane,
"""


def make_report(
    key: object, *, action: str = "failed", status: str = "5.1.1", returned: str = WHOLE, refers: bool = False
) -> bytes:
    """A report about the mail of `key`, which returns it whole, by its headers, or (`refers`) only names it."""
    original = "" if returned == NOTHING else ORIGINAL.format(key=key)
    report = POSTFIX.format(action=action, status=status, returned=returned, original=original)
    return (f"In-Reply-To: <{key}@mindfulqalb.example>\n" * refers + report).encode()
