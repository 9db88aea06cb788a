"""What our private PostgreSQL and our private Redis share: folders, an account, a start that waits, an end in order."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from mindfulqalb.development.account import make_server_home, server_account
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.passwords import kept_password
from mindfulqalb.development.programs import Process, Program
from mindfulqalb.development.wheels import only_wheels

if TYPE_CHECKING:
    from pathlib import Path

LOOK_EVERY_SECONDS = 0.02
LAST_LINES = 8


class Server(ABC):
    """A server on 127.0.0.1 with a password of its own and its files in `home`, which is made when missing.

    `programs_home` is where a copy of the program goes when it needs one (default: `home`). `wheel=True` uses the wheel
    even where the machine has such a server.
    """

    name: ClassVar[str]
    start_seconds: ClassVar[float]
    silence: ClassVar[type[Exception]]  # what its client raises while it does not answer

    def __init__(self, home: Path, port: int, *, programs_home: Path | None = None, wheel: bool = False) -> None:
        self.home = home.resolve()
        self.port = port
        self.wheel = wheel or only_wheels()
        self.account = server_account()
        self.programs_home = (programs_home or home).resolve()
        self.log = self.home / f"{self.name.lower()}.log"
        self.process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for the application, password included."""

    @property
    @abstractmethod
    def program(self) -> Program:
        """The server itself, once prepared."""

    @abstractmethod
    def ask(self) -> None:
        """Ask it something; raises `silence` while it does not answer."""

    def prepare(self) -> None:
        """Make the folders as far as they are missing."""
        for home in {self.home, self.programs_home}:
            make_server_home(home, self.account)
        self.password = kept_password(self.home)

    def make_ready(self) -> None:  # noqa: B027  (not every server needs something)
        """Make what the application needs, in the running server."""

    def start(self) -> Process:
        """Start, and return when the application can use it. Raises `DevelopmentError`.

        Ends a server of the same files that an earlier run left behind.
        """
        self.prepare()
        self.process = process = Process(self.program)
        try:
            self._wait_until_it_answers(process)
            self.make_ready()
        except BaseException:
            self.stop()
            raise
        return process

    def stop(self) -> None:
        """Stop in good order."""
        if self.process:
            self.process.stop()
            self.process = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def _wait_until_it_answers(self, process: Process) -> None:
        deadline = time.monotonic() + self.start_seconds
        while True:
            try:
                self.ask()
            except self.silence as error:
                if process.status is not None or time.monotonic() > deadline:
                    raise DevelopmentError(self._why_not_ready(error)) from error
                time.sleep(LOOK_EVERY_SECONDS)
            else:
                return

    def _why_not_ready(self, error: Exception) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        first = f"{self.name} did not start on port {self.port}: {error}"
        return "\n".join([first, *text.splitlines()[-LAST_LINES:], f"(from {self.log})"])
