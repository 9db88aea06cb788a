"""How log lines look: JSON in production, one readable line in development, both scrubbed.

Written by hand: the libraries format JSON just as shortly, but scrubbing must come last, after the exception's text has
been made, and must leave the record alone, which other handlers share.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from json import dumps
from typing import Any

from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.observability.scrubbing import LONGEST_TEXT, scrub
from mindfulqalb.observability.traces import current_traces


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC, ISO 8601), level, logger, message, requestId, and what else is known.

    That is userId, taskId, replayUrl, an exception, and the record's own `fields`, whose values are never a person's.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Format without ever raising on odd arguments."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": scrub(_message(record)),
            "requestId": _request_id(record),
            **current_traces(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = _traceback(self, record.exc_info)
        return dumps(line)


class LineFormatter(logging.Formatter):
    """One readable line per record; a traceback, if any, on the lines below."""

    def format(self, record: logging.LogRecord) -> str:
        """Format with line breaks in the message escaped, so that no text can pass for a line of its own."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        message = scrub(_message(record)).replace("\r", "\\r").replace("\n", "\\n")
        request_id = _request_id(record)
        line = f"{time} {record.levelname:<7} {record.name}: {message}" + (f" [{request_id}]" if request_id else "")
        return f"{line}\n{_traceback(self, record.exc_info)}" if record.exc_info else line


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return f"{record.msg} (arguments do not fit)"


def _request_id(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    return current_request_id() or getattr(request, "META", {}).get("HTTP_X_REQUEST_ID", "")


def _traceback(formatter: logging.Formatter, exc_info: Any) -> str:
    # The end tells what happened.
    return scrub(formatter.formatException(exc_info)[-LONGEST_TEXT:])


def logging_config(*, json: bool) -> dict[str, Any]:
    """Build Django's LOGGING: everything from INFO up goes to standard error, once, through one scrubbing formatter."""
    formatter = JsonFormatter if json else LineFormatter
    through_root: dict[str, Any] = {"handlers": [], "level": "INFO", "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"scrubbed": {"()": f"{formatter.__module__}.{formatter.__qualname__}"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "scrubbed"}},
        "root": {"handlers": ["console"], "level": "INFO"},
        # Django's own set-up mails tracebacks to ADMINS and prints a second time: both off.
        "loggers": {"django": through_root, "django.server": through_root, "celery": through_root},
    }
