"""Logs, metrics and error reports."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import gettempdir
from zlib import crc32

from mindfulqalb.observability.logging import logging_config
from mindfulqalb.observability.sentry import start_sentry
from mindfulqalb.settings.runtime import DATA_DIR, DEVELOPMENT, ENVIRONMENT, env

# --- Logs, metrics, error reports -------------------------------------------------------------------------------------

LOGGING = logging_config(json=env.bool("LOG_JSON", not DEVELOPMENT))
# What /metrics wants as a bearer token; without one, production shows nothing.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")
# The processes of one machine add up their counters here; prometheus_client looks for it when it is imported.
METRICS_DIR = env.str("METRICS_DIR", f"{gettempdir()}/mindfulqalb-metrics-{crc32(str(DATA_DIR).encode()):x}")
Path(METRICS_DIR).mkdir(parents=True, exist_ok=True)
os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR
# Where a worker shows its own counters, for it serves no pages; 0 for nowhere.
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", 0)
# Asked once a minute while beat and worker live; the service behind it raises the alarm when we stop.
HEARTBEAT_URL = env.str("HEARTBEAT_URL", "")
start_sentry(dsn=env.str("SENTRY_DSN", ""), environment=ENVIRONMENT, release=env.str("RELEASE", ""))
