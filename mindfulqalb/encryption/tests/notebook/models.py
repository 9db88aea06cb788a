"""Models with encrypted fields that only the tests have."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindfulqalb.encryption.fields import EncryptedTextField


class Note(models.Model):
    """One required, one nullable and one short text."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=50, blank=True)
    body = EncryptedTextField(label="notebook.body", blank=True)
    remark = EncryptedTextField(label="notebook.remark", null=True, blank=True, db_column="remark_encrypted")
    author = EncryptedTextField(label="notebook.author", blank=True, max_length=20)

    objects: ClassVar[models.Manager[Note]] = models.Manager()

    class Meta:
        app_label = "notebook"
        db_table = "notebook_notes"

    def __str__(self) -> str:
        return f"note {self.pk}"


class Annotation(models.Model):
    """Declares its id after the encrypted field, as nothing forbids."""

    text = EncryptedTextField(label="notebook.annotation")
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    objects: ClassVar[models.Manager[Annotation]] = models.Manager()

    class Meta:
        app_label = "notebook"
        db_table = "notebook_annotations"

    def __str__(self) -> str:
        return f"annotation {self.pk}"
