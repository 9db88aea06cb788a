"""Mails as they were sent."""

from __future__ import annotations

from django.apps import AppConfig


class MailConfig(AppConfig):
    """Mails as they were sent."""

    name = "mindfulqalb.mail"
    label = "mail"
