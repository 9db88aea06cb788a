"""Log lines are whole, attributable and clean."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from django.utils.log import DEFAULT_LOGGING

from mindfulqalb.observability.logging import JsonFormatter, LineFormatter, logging_config
from mindfulqalb.observability.request_ids import bound_request_id

if TYPE_CHECKING:
    from collections.abc import Iterator


def make_record(message: object = "Booking %s confirmed", *arguments: object, **overrides: Any) -> logging.LogRecord:
    record = logging.LogRecord("bookings", logging.INFO, "services.py", 1, message, arguments, None)
    record.created = 1_764_000_000.5
    vars(record).update(overrides)
    return record


def raised(error: Exception) -> Any:
    try:
        raise error
    except type(error):
        return sys.exc_info()


def as_json(record: logging.LogRecord) -> dict[str, str]:
    line = JsonFormatter().format(record)
    assert "\n" not in line
    fields: dict[str, str] = json.loads(line)
    return fields


def test_json_says_when_where_and_what() -> None:
    with bound_request_id("request-0001"):
        assert as_json(make_record("Booking %s confirmed", 5)) == {
            "time": "2025-11-24T16:00:00.500+00:00",
            "level": "INFO",
            "logger": "bookings",
            "message": "Booking 5 confirmed",
            "requestId": "request-0001",
        }


def test_json_has_the_traceback_scrubbed() -> None:
    record = make_record("Failed", exc_info=raised(ValueError("jane@example.com\n+91 98765 43210")))

    exception = as_json(record)["exception"]

    assert exception.splitlines()[0] == "Traceback (most recent call last):"
    assert exception.splitlines()[-2:] == ["ValueError: [email]", "[digits]"]


def test_the_end_of_a_long_traceback_is_kept() -> None:
    record = make_record("Failed", exc_info=raised(ValueError("x" * 50_000 + " the end")))

    assert as_json(record)["exception"].endswith("x the end")
    assert len(as_json(record)["exception"]) == 20_000


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
@pytest.mark.parametrize(
    "record",
    [
        make_record("mail to %s", "jane@example.com"),
        make_record("mail to jane@example.com"),
        make_record(ValueError("jane@example.com")),
        make_record("%(email)s", {"email": "jane@example.com"}),
        make_record("Failed", exc_info=raised(ValueError("jane@example.com"))),
    ],
)
def test_no_formatter_lets_an_email_out(formatter: logging.Formatter, record: logging.LogRecord) -> None:
    line = formatter.format(record)

    assert "jane" not in line
    assert "[email]" in line


@pytest.mark.parametrize("formatter", [JsonFormatter(), LineFormatter()])
def test_a_record_is_left_as_it_was(formatter: logging.Formatter) -> None:
    record = make_record("mail to %s", "jane@example.com", exc_info=raised(ValueError("jane@example.com")))
    before = dict(vars(record))

    formatter.format(record)

    assert vars(record) == before


@pytest.mark.parametrize(
    ("message", "arguments"), [("%s %s", ("one",)), ("%d", ("x",)), ("100 %", ("x",)), ("none", ("x",))]
)
def test_arguments_that_do_not_fit_are_no_reason_to_fail(message: str, arguments: tuple[str, ...]) -> None:
    assert as_json(make_record(message, *arguments))["message"] == f"{message} (arguments do not fit)"


def test_a_line_is_one_line() -> None:
    with bound_request_id("request-0001"):
        line = LineFormatter().format(make_record("one\r\ntwo\n%s", "three"))

    assert line[8:] == " INFO    bookings: one\\r\\ntwo\\nthree [request-0001]"


def test_a_line_has_its_traceback_below() -> None:
    lines = LineFormatter().format(make_record("Failed", exc_info=raised(ValueError("no")))).splitlines()

    assert (lines[0][8:], lines[1], lines[-1]) == (
        " INFO    bookings: Failed",
        "Traceback (most recent call last):",
        "ValueError: no",
    )


def test_a_record_of_a_request_knows_its_id_when_the_context_does_not() -> None:
    request = SimpleNamespace(META={"HTTP_X_REQUEST_ID": "request-0002"})

    assert as_json(make_record("x", request=request))["requestId"] == "request-0002"
    assert as_json(make_record("x", request=object()))["requestId"] == ""


@pytest.fixture
def logging_restored() -> Iterator[None]:
    names = ("", "django", "django.server", "celery")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate


@pytest.mark.usefixtures("logging_restored")
@pytest.mark.parametrize(("json_wanted", "formatter"), [(True, JsonFormatter), (False, LineFormatter)])
def test_everything_is_written_once(
    capsys: pytest.CaptureFixture[str], json_wanted: bool, formatter: type[logging.Formatter]
) -> None:
    logging.config.dictConfig(DEFAULT_LOGGING)
    logging.config.dictConfig(logging_config(json=json_wanted))

    for name in ("bookings.services", "django.request", "django.server", "celery.worker"):
        logging.getLogger(name).info("hello from %s", name)
    logging.getLogger("bookings").debug("not this")

    assert [line.count("hello") for line in capsys.readouterr().err.splitlines()] == [1, 1, 1, 1]
    assert logging.getLogger("django").handlers == []
    (handler,) = logging.getLogger().handlers
    assert type(handler.formatter) is formatter
