"""Requests with an Idempotency-Key, and what was answered."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindfulqalb.encryption.fields import EncryptedTextField


class KeptAnswer(models.Model):
    """One request under its key: claimed while it is worked on, then answered for a day. Only digests tell which."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key_digest = models.CharField(max_length=64)
    path = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    answer = EncryptedTextField(label="idempotency.answer", db_column="answer_encrypted", null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "kept_answers"
        constraints: ClassVar = [models.UniqueConstraint(fields=["key_digest", "path"], name="kept_answer_key")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="kept_answer_created")]

    def __str__(self) -> str:
        return f"{self.path} {self.created_at:%Y-%m-%d %H:%M}"
