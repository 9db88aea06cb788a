"""Sign how far the chain goes, and send copies out of the house: what we hold ourselves proves nothing against us."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from mindfulqalb.audit.digests import GENESIS, plain, sha256_of
from mindfulqalb.audit.models import AuditCheckpoint
from mindfulqalb.audit.sealing import last_seal, lock_chain, seal_events
from mindfulqalb.audit.signing import Signature, is_signed, key_id, sign, signing_key
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

KIND = "mindfulqalb audit checkpoint"
STATEMENT_COLUMNS = ("number", "sequence", "chain_digest", "previous", "signed_at", "key_id")


def take_checkpoint(*, now: datetime) -> AuditCheckpoint:
    """Seal what is there, sign the end of the chain, and send the word out; also when nothing has happened since."""
    seal_events(now=now)
    with transaction.atomic():
        lock_chain()
        seal, previous = last_seal(), last_checkpoint()
        checkpoint = AuditCheckpoint(
            number=previous.number + 1 if previous else 1,
            sequence=seal.sequence if seal else 0,
            chain_digest=seal.chain_digest if seal else GENESIS,
            previous=sha256_of(statement_of(previous)) if previous else GENESIS,
            signed_at=now,
            key_id=key_id(signing_key()),
        )
        checkpoint.signature = sign(statement_of(checkpoint)).text
        checkpoint.save(force_insert=True)
        _send_out(checkpoint, now)
    return checkpoint


def last_checkpoint() -> AuditCheckpoint | None:
    """Return the newest checkpoint."""
    return AuditCheckpoint.objects.order_by("-number").first()


def statement_of(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """Return what the signature is about."""
    columns = {name: getattr(checkpoint, name) for name in STATEMENT_COLUMNS}
    return {"kind": KIND, **columns, "signed_at": plain(checkpoint.signed_at)}


def certificate_of(checkpoint: AuditCheckpoint) -> dict[str, Any]:
    """Return statement and signature, as they leave the house."""
    return {"statement": statement_of(checkpoint), "signature": checkpoint.signature}


def certificate_text(checkpoint: AuditCheckpoint) -> str:
    """Return the file that leaves the house."""
    return json.dumps(certificate_of(checkpoint), indent=1, sort_keys=True) + "\n"


def is_genuine(certificate: Mapping[str, Any]) -> bool:
    """Say whether one of our keys signed it."""
    statement, signature = certificate.get("statement"), certificate.get("signature")
    if not isinstance(statement, dict) or not isinstance(signature, str) or statement.get("kind") != KIND:
        return False
    return is_signed(statement, Signature(str(statement.get("key_id")), signature))


def store_copy(*, number: int) -> None:
    """Put a checkpoint into AUDIT_CHECKPOINT_DIRECTORY, whole or not at all; a copy that says anything stays as it is.

    An empty one says nothing: it is what earlier versions left behind when they were killed while they wrote.
    """
    checkpoint = AuditCheckpoint.objects.get(number=number)
    file = Path(settings.AUDIT_CHECKPOINT_DIRECTORY) / copy_name(checkpoint)
    fresh = file.with_name(f".{file.name}.{uuid4().hex}")
    try:
        with fresh.open("x", encoding="ascii") as copy:
            copy.write(certificate_text(checkpoint))
            copy.flush()
            os.fsync(copy.fileno())
        if _is_empty(file):
            fresh.replace(file)
        else:
            # Unlike a rename, this refuses where something lies.
            with suppress(FileExistsError):
                file.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)


def copy_name(checkpoint: AuditCheckpoint) -> str:
    """Name a copy so that listings are in order."""
    return f"checkpoint-{checkpoint.number:08}.json"


def stored_copies(directory: Path) -> list[dict[str, Any]]:
    """Read the copies in a directory, oldest first. Raises OSError.

    One that is no JSON object comes as {"unreadable": its name}: it is no reason to leave the others unread.
    """
    return [_read(file) for file in sorted(directory.glob("checkpoint-*.json"))]


def _read(file: Path) -> dict[str, Any]:
    try:
        copy = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        copy = None
    return copy if isinstance(copy, dict) else {"unreadable": file.name}


def _is_empty(file: Path) -> bool:
    return file.exists() and file.stat().st_size == 0


def _send_out(checkpoint: AuditCheckpoint, now: datetime) -> None:
    payload = {"number": checkpoint.number}
    if settings.AUDIT_CHECKPOINT_DIRECTORY:
        enqueue(topic="audit.checkpoint_stored", lane="audit:directory", payload=payload, now=now)
    if settings.AUDIT_CHECKPOINT_EMAIL:
        enqueue(topic="audit.checkpoint_mailed", lane="audit:mail", payload=payload, now=now)
