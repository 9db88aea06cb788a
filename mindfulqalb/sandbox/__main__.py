"""`python -m mindfulqalb.sandbox`: start the stand-ins and serve until told to stop."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import sys
import threading

# Before anything of Django: the product's settings must not be asked for.
os.environ["DJANGO_SETTINGS_MODULE"] = "mindfulqalb.sandbox.settings"

from django.core.wsgi import get_wsgi_application
from django.urls import resolve

from mindfulqalb.sandbox import timers, webhooks
from mindfulqalb.sandbox.calls import stopping
from mindfulqalb.sandbox.configuration import Configuration, configure, read_configuration
from mindfulqalb.sandbox.mailbox.smtp import MailServer
from mindfulqalb.sandbox.server import Server, make_server
from mindfulqalb.sandbox.store import open_store

ENDING_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    configuration = read_configuration(sys.argv[1:])
    # Blocked in every thread, so that the main thread alone receives them, with sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    configure(configuration)
    try:
        open_store(configuration.state)
    except (OSError, sqlite3.Error) as error:
        problem = f"The state file {configuration.state} cannot be used ({error})"
        return _fail(f"{problem}: choose another with --state or SANDBOX_STATE.")
    application = get_wsgi_application()
    resolve("/")  # loads every view now, and with them what timers do: one may be due before the first request
    try:
        web = make_server(configuration.host, configuration.port, application)
    except OSError as error:
        return _fail(_port_problem(error, configuration.port, "--port or SANDBOX_PORT"))
    mail = MailServer(configuration.host, configuration.smtp_port)
    try:
        mail.start()
    except OSError as error:
        return _fail(_port_problem(error, configuration.smtp_port, "--smtp-port or SANDBOX_SMTP_PORT"))
    _serve(web, configuration)
    # The store stays open: a thread may be writing, and what it has committed is safe.
    mail.stop()
    return 0


def _serve(web: Server, configuration: Configuration) -> None:
    threading.Thread(target=web.serve_forever, args=(0.1,), name="web", daemon=True).start()
    webhooks.start_sending(stopping)
    timers.start_timing(stopping)
    address = f"http://{configuration.host}:{configuration.port}/"
    sys.stdout.write(f"Sandbox ready: {address} (mail on port {configuration.smtp_port}).\n")
    sys.stdout.flush()
    signal.sigwait(ENDING_SIGNALS)
    stopping.set()
    web.shutdown()
    web.server_close()


def _port_problem(error: OSError, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is already taken: stop what uses it, or choose another with {option}."
    return f"Port {port} cannot be opened ({error.strerror}): choose another with {option}."


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
