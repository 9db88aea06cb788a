"""The dead man's switch."""

from __future__ import annotations

import logging

import requests
from celery import shared_task
from django.conf import settings

from mindfulqalb.vendors.sessions import vendor_session

logger = logging.getLogger(__name__)


@shared_task(name="observability.heartbeat")
def heartbeat_task(**kwargs: object) -> None:
    """Tell HEARTBEAT_URL that beat and a worker are alive: it raises the alarm when that stays away."""
    if not settings.HEARTBEAT_URL:
        return
    try:
        vendor_session().get(settings.HEARTBEAT_URL).raise_for_status()
    except requests.RequestException as error:
        logger.warning("heartbeat was not taken: %s", type(error).__name__)
