"""Staff accounts: one per person, therapists and auditors alike, and what proves who they are."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.crypto import salted_hmac

from mindfulqalb.encryption.fields import EncryptedTextField


class StaffMember(AbstractUser):
    """A person who may log in to the admin. Clients have no account."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    access_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Raise it to end all sessions and tokens of this person."
    )

    must_change_password = models.BooleanField(
        default=False, db_default=False, editable=False, help_text="Somebody else has chosen or seen the password."
    )

    class Meta(AbstractUser.Meta):
        db_table = "staff_members"
        verbose_name = "staff member"
        verbose_name_plural = "staff members"

    def set_password(self, raw_password: str | None) -> None:
        """Take a new password; whoever sets somebody else's asks afterwards that they change it."""
        super().set_password(raw_password)
        self.must_change_password = False

    def get_session_auth_hash(self) -> str:
        """Tie sessions to the password, and to what "log out everywhere" raises."""
        return self._tied(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> list[str]:
        """Do the same for the keys that SECRET_KEY_FALLBACKS still accepts."""
        return [self._tied(known) for known in super().get_session_auth_fallback_hash()]

    @property
    def token_version(self) -> int:
        """What tokens of this person must name: another one after a new password or "log out everywhere"."""
        return int(self.get_session_auth_hash()[:8], 16)

    def _tied(self, known: str) -> str:
        return salted_hmac("staff.session", f"{known}:{self.access_version}", algorithm="sha256").hexdigest()


class Authenticator(models.Model):
    """A person's authenticator app (TOTP, RFC 6238): thirty seconds, six digits. Confirmed by its first code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.OneToOneField(StaffMember, on_delete=models.CASCADE, related_name="authenticator")
    secret = EncryptedTextField(label="staff.authenticator_secret", db_column="secret_encrypted")
    last_step = models.BigIntegerField(
        default=-1, help_text="No code of this time step or an earlier one counts again."
    )
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    refusals = models.PositiveIntegerField(default=0, db_default=0, help_text="Wrong codes since the last right one.")
    paused_until = models.DateTimeField(null=True, help_text="No code counts before.")

    class Meta:
        db_table = "staff_authenticators"

    def __str__(self) -> str:
        return f"authenticator of {self.member_id}"


class RecoveryCode(models.Model):
    """A code that stands in for the authenticator, once; only its digest is kept."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_recovery_codes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"recovery code of {self.member_id}"


class KnownDevice(models.Model):
    """A browser on a network from which somebody has logged in before, as a keyed digest."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="known_devices")
    digest = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        db_table = "staff_known_devices"
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "digest"], name="known_device_once")]

    def __str__(self) -> str:
        return f"device of {self.member_id}"


class RefreshToken(models.Model):
    """One link in a chain of refresh tokens. A token is spent once; its digest stays, so that a second use shows."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    token_version = models.BigIntegerField(help_text="The person's version when the chain was begun.")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "staff_refresh_tokens"
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="refresh_token_expires")]

    def __str__(self) -> str:
        return f"refresh token of {self.member_id}"
