"""What staff type to come in."""

from __future__ import annotations

import math
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from mindfulqalb.api.errors import Unavailable
from mindfulqalb.staff.sign_in import seconds_before_attempt

THROTTLED = "throttled"


class StaffLoginForm(AdminAuthenticationForm):
    """Name and password; whoever tries too often is told how long to wait, before anything is checked."""

    def clean(self) -> dict[str, Any]:
        """Count the attempt, then check it."""
        if self.request is not None:
            require_attempt(self.request, username=self.cleaned_data.get("username") or "")
        return super().clean()


class CodeForm(forms.Form):
    """The six digits of the authenticator app, or a recovery code."""

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "inputmode": "text"}),
    )


def require_attempt(request: Any, *, username: str) -> None:
    """Raise ValidationError (code "throttled") when an account or address has tried too often, or nobody can count."""
    try:
        wait = seconds_before_attempt(request, username=username)
    except Unavailable:
        raise ValidationError("Nobody can log in at this moment. Please try again shortly.", code=THROTTLED) from None
    if wait is not None:
        raise throttled(wait)


def throttled(seconds: float) -> ValidationError:
    """Say how long to wait."""
    wait, minutes = math.ceil(seconds), math.ceil(seconds / 60)
    text = f"That was a lot of attempts. Please try again in {minutes} minute{'s' if minutes > 1 else ''}."
    return ValidationError(text, code=THROTTLED, params={"wait": wait})
