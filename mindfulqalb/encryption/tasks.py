"""What beat asks of encryption."""

from __future__ import annotations

import logging

from celery import shared_task

from mindfulqalb.encryption.phone_index import index_phones

logger = logging.getLogger(__name__)


@shared_task(name="encryption.index_phones", ignore_result=True, time_limit=3600)
def index_phones_task(**_kwargs: object) -> None:
    """Give phones that have none their digests; cut off by its limit, it goes on the next time."""
    for chunk in index_phones():
        for error in chunk.unreadable:
            logger.warning("%s", error)
