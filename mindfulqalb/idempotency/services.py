"""Claim a key, keep the answer, give it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.crypto import salted_hmac

from mindfulqalb.api.errors import Refusal
from mindfulqalb.idempotency.models import KeptAnswer

# Longer than any request may take: whoever holds a claim for longer is dead.
CLAIM = timedelta(seconds=60)
KEPT_FOR = timedelta(hours=24)


class KeyUsedOtherwise(Refusal):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    status = 409
    sentence = "This Idempotency-Key was used for another request. Please use a new one."


class StillRunning(Refusal):
    """The first request with this key has not been answered yet."""

    code = "request_in_progress"
    status = 409
    sentence = "The same request is being worked on. Please try again in a moment."
    usual_wait = timedelta(seconds=1)


@dataclass(frozen=True)
class Asked:
    """What makes two requests the same one."""

    key: str
    path: str
    body: bytes

    @property
    def key_digest(self) -> str:
        """The key as it is stored."""
        return _digest(self.key.encode())

    @property
    def body_digest(self) -> str:
        """The body as it is stored."""
        return _digest(self.body)


def claim_or_recall(*, asked: Asked, now: datetime) -> KeptAnswer:
    """Claim a key for this request, or find the answer that it was given before (then `status` is set).

    Raises KeyUsedOtherwise for another body, StillRunning while somebody else is at it. A claim whose holder died, and
    an answer older than a day, are taken over.
    """
    fresh = KeptAnswer(
        key_digest=asked.key_digest,
        path=asked.path,
        body_digest=asked.body_digest,
        claimed_until=now + CLAIM,
        created_at=now,
    )
    KeptAnswer.objects.bulk_create([fresh], ignore_conflicts=True)
    with transaction.atomic():
        kept = KeptAnswer.objects.select_for_update().filter(key_digest=asked.key_digest, path=asked.path).first()
        if kept is None:  # whoever was at it gave up just now
            raise StillRunning
        return kept if kept.id == fresh.id else _recall(kept, asked, now)


def keep_answer(*, claim: KeptAnswer, status: int, answer: str) -> None:
    """Keep what was answered; a claim that somebody else took over meanwhile stays theirs."""
    with transaction.atomic():
        held = KeptAnswer.objects.select_for_update().filter(id=claim.id, claimed_until=claim.claimed_until).first()
        if held is not None:
            held.status, held.answer = status, answer
            held.save(update_fields=["status", "answer"])


def give_up(*, claim: KeptAnswer) -> None:
    """Free the key: the request came to nothing, and may be tried again."""
    KeptAnswer.objects.filter(id=claim.id, claimed_until=claim.claimed_until, status=None).delete()


def forget_old_answers(*, now: datetime) -> int:
    """Delete what is older than a day, and return how many."""
    deleted, _ = KeptAnswer.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted


def _digest(value: bytes) -> str:
    """Under a key: a body holds a person's data, and a plain digest would confirm a guess."""
    return salted_hmac("idempotency", value, algorithm="sha256").hexdigest()


def _recall(kept: KeptAnswer, asked: Asked, now: datetime) -> KeptAnswer:
    is_over = kept.created_at < now - KEPT_FOR
    if not is_over and kept.body_digest != asked.body_digest:
        raise KeyUsedOtherwise
    if kept.status is not None and not is_over:
        return kept
    if kept.status is None and kept.claimed_until > now:
        raise StillRunning
    kept.body_digest, kept.claimed_until, kept.created_at = asked.body_digest, now + CLAIM, now
    kept.status, kept.answer = None, None
    kept.save()
    return kept
