"""The Celery application: worker and beat. Celery only hurries work along; every intent stands in the outbox first."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab
from django.conf import settings

from mindfulqalb.observability.worker import MetricsStep
from mindfulqalb.operations.worker import EndInTimeStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mindfulqalb.settings")

app = Celery("mindfulqalb")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].update((EndInTimeStep, MetricsStep))
app.conf.beat_schedule = {
    "sweep the outbox": {"task": "outbox.sweep", "schedule": settings.OUTBOX_SWEEP_SECONDS},
    "ask for free times before they grow old": {
        "task": "bookings.refill_listings",
        "schedule": settings.AVAILABILITY_REFILL_SECONDS,
    },
    "ask what has changed in the calendar": {
        "task": "bookings.poll_calendar",
        "schedule": 60.0,
    },
    "look for sessions that the calendar does not have": {"task": "bookings.look_for_missing", "schedule": 3600.0},
    "close sessions that are over": {"task": "bookings.complete_sessions", "schedule": 300.0},
    "tell of delays": {"task": "bookings.tell_of_delays", "schedule": 20.0},
    "read which mails did not arrive": {"task": "mail.read_bounces", "schedule": 300.0},
    "remind of sessions": {"task": "bookings.remind", "schedule": 60.0},
    "expire overdue holds": {"task": "bookings.expire_holds", "schedule": 60.0},
    "ask for money that no webhook told of": {"task": "payments.reconcile", "schedule": 300.0},
    "forget refresh tokens that have expired": {"task": "staff.forget_refresh_tokens", "schedule": 86400.0},
    # At night in India; a day's money is a few dozen payments.
    "compare our books with the gateways'": {"task": "payments.compare_books", "schedule": crontab(hour=21, minute=30)},
    "tell the dead man's switch that we live": {"task": "observability.heartbeat", "schedule": 60.0},
    "forget old answers": {"task": "idempotency.forget", "schedule": 3600.0},
    "seal the audit trail": {"task": "audit.seal", "schedule": 60.0},
    "sign a checkpoint of the audit trail": {"task": "audit.checkpoint", "schedule": crontab(hour="0", minute="30")},
    "verify the audit trail": {"task": "audit.verify", "schedule": crontab(hour="1", minute="0")},
    "purge what is kept no longer": {"task": "retention.purge", "schedule": crontab(hour="20", minute="0")},
    "index phones that have no digest yet": {"task": "encryption.index_phones", "schedule": 3600.0},
    "note which consents have expired": {"task": "consent.note_expiries", "schedule": 3600.0},
    # As often as a beat may have been away; it is sent once a day.
    "report yesterday's books": {"task": "bookings.report_ledger", "schedule": 3600.0},
    "close the books of all time": {"task": "bookings.close_books", "schedule": 600.0},
    "tell those whose money waits": {"task": "bookings.tell_unplaced", "schedule": 300.0},
    "send back what could not be placed": {"task": "bookings.refund_unplaced", "schedule": 900.0},
}
# What comes again anyway must not pile up while the workers are down.
for entry in app.conf.beat_schedule.values():
    if isinstance(entry["schedule"], int | float):
        entry["options"] = {"expires": entry["schedule"]}
