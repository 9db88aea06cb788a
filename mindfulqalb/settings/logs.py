"""Logs."""

from __future__ import annotations

from mindfulqalb.observability.logging import logging_config
from mindfulqalb.settings.runtime import DEVELOPMENT, env

# --- Logs -------------------------------------------------------------------------------------------------------------

LOGGING = logging_config(json=env.bool("LOG_JSON", not DEVELOPMENT))
