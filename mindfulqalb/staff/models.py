"""Staff accounts: one per person, therapists and auditors alike."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


class StaffMember(AbstractUser):
    """A person who may log in to the admin. Clients have no account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta(AbstractUser.Meta):
        db_table = "staff_members"
        verbose_name = "staff member"
