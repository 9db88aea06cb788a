"""Hand evidence to an auditor: on record first, then signed, then sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mindfulqalb.audit.checkpoints import certificate_of, take_checkpoint
from mindfulqalb.audit.digests import plain
from mindfulqalb.audit.exports.archive import Archive, Part
from mindfulqalb.audit.exports.trail import trail_part, verifier_part
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.audit.signing import sign
from mindfulqalb.staff.names import login_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from mindfulqalb.audit.exports.period import Period
    from mindfulqalb.audit.exports.trail import Showing
    from mindfulqalb.audit.models import AuditCheckpoint

KIND = "mindfulqalb export"
# Of what lies in the archive, and how: `verify_export.py` reads this one and no other.
FORMAT = 2


@dataclass(frozen=True)
class Export:
    """An export that may now be sent; `checkpoint` says of which state of the trail it is."""

    subject: str
    filters: dict[str, str]
    period: Period
    actor: str
    reason: str
    now: datetime
    event_id: UUID
    checkpoint: AuditCheckpoint

    @property
    def filename(self) -> str:
        """What to call the archive."""
        return f"{self.subject}-{self.now:%Y-%m-%d-%H%M%S}.zip"


def begin_export(
    *, subject: str, period: Period, filters: dict[str, str], actor: str, reason: str, now: datetime
) -> Export:
    """Record who takes what out and why, and sign the state of the trail that the export will be of.

    Raises ReasonRequired. `filters` are those beside the period: for what they leave, nobody can prove that it is all.
    The export is on record even when nobody waits for the end of it.
    """
    why = required_reason(reason)
    event = record(
        action=f"{subject}.exported",
        actor=actor,
        target=f"export:{uuid4()}",
        details={"filters": period.described() | filters},
        reason=why,
        now=now,
    )
    return Export(subject, filters, period, actor, why, now, event.id, checkpoint=take_checkpoint(now=now))


def stream_export(*, export: Export, parts: Iterable[Part], show: Showing) -> Iterator[bytes]:
    """Yield the archive: the parts, the trail, and a signed manifest that holds the digest of each file.

    `show` says what is shown of events beside their heads.
    """
    archive = Archive()
    try:
        for part in (*parts, trail_part(export.checkpoint, show), verifier_part()):
            yield from archive.write(part)
        manifest = _manifest(export, dict(archive.files))
        yield from archive.write(_signed(manifest))
        yield archive.close(sign=lambda digest: sign({"archive": digest, "key_id": manifest["key_id"]}).text)
    finally:
        archive.abandon()


def _signed(manifest: dict[str, Any]) -> Part:
    text = json.dumps({"manifest": manifest, "signature": sign(manifest).text}, indent=1, sort_keys=True) + "\n"
    return Part("manifest.json", lambda: [text.encode("ascii")])


def _manifest(export: Export, files: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": KIND,
        "format": FORMAT,
        "subject": export.subject,
        "event_id": str(export.event_id),
        "exported_by": export.actor,
        "exported_by_name": login_names([export.actor]).get(export.actor, ""),
        "reason": export.reason,
        "exported_at": plain(export.now),
        "filters": export.filters,
        "period": export.period.bounds(),
        "files": files,
        "checkpoint": certificate_of(export.checkpoint),
        "key_id": export.checkpoint.key_id,
    }
