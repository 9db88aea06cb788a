"""A private Redis: on 127.0.0.1 only, with a password, in memory only, ending with us."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import redis

from mindfulqalb.development.account import make_server_home, server_account
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.passwords import kept_password
from mindfulqalb.development.ports import HOST
from mindfulqalb.development.programs import Process, Program
from mindfulqalb.development.wheels import executable_copy, only_wheels, redis_server_from_wheel

START_SECONDS = 20
NAMES = ("redis-server", "valkey-server")


class RedisServer:
    """A server with its files in `home`, which is made when missing. What it holds ends with it.

    `programs_home` is where a copy of the program goes when it needs one (default: `home`). `wheel=True` uses the wheel
    even where the machine has a Redis.
    """

    def __init__(self, home: Path, port: int, *, programs_home: Path | None = None, wheel: bool = False) -> None:
        self.home = home.resolve()
        self.port = port
        self.wheel = wheel or only_wheels()
        self.account = server_account()
        self.programs_home = (programs_home or home).resolve()
        self.log = self.home / "redis.log"
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """The address of database 0, password included."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def start(self) -> Process:
        """Start, and return when commands are answered. Raises `DevelopmentError`."""
        self.prepare()
        self.process = process = Process(self.program)
        try:
            self._wait_until_ready(process)
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

    def prepare(self) -> None:
        """Make folder and configuration, and end what an earlier run left running."""
        for home in {self.home, self.programs_home}:
            make_server_home(home, self.account)
        self.password = kept_password(self.home)
        self.executable = self._find_executable()
        self._end_leftover()
        self._write_configuration()

    @property
    def program(self) -> Program:
        """The server itself, once prepared."""
        return Program(
            name="redis",
            command=[str(self.executable), str(self._configuration)],
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            directory=self.home,
            account=self.account,
            log=self.log,
            grace=5,
        )

    @property
    def _configuration(self) -> Path:
        return self.home / "redis.conf"

    def _find_executable(self) -> Path:
        found = None if self.wheel else next(filter(None, map(shutil.which, NAMES)), None)
        if found:
            return Path(found).resolve()
        packed = redis_server_from_wheel()
        if packed is None:
            raise DevelopmentError(
                "No redis-server was found, and none comes as a wheel for this platform. Install one or set REDIS_URL."
            )
        return executable_copy(packed, self.programs_home, self.account)

    def _end_leftover(self) -> None:
        """End a server that an earlier run left behind: on that run's port, and our password proves that it is ours."""
        found = re.search(r"^port (\d+)$", _text(self._configuration), re.MULTILINE)
        if found:
            address = f"redis://:{self.password}@{HOST}:{found[1]}/0"
            with redis.Redis.from_url(address, socket_timeout=5) as client, suppress(redis.RedisError):
                client.shutdown(nosave=True)

    def _write_configuration(self) -> None:
        """Write the password to a file that only the server's account can read: arguments are public."""
        lines = [f"bind {HOST}", f"port {self.port}", f"requirepass {self.password}", f'dir "{self.home}"']
        lines += ['save ""', "appendonly no", "daemonize no", "loglevel notice"]
        self._configuration.unlink(missing_ok=True)
        descriptor = os.open(self._configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join([*lines, ""]))
        if self.account:
            os.chown(self._configuration, self.account.uid, self.account.gid)

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError as error:
                    if process.status is not None or time.monotonic() > deadline:
                        raise DevelopmentError(self._why_not_ready(error)) from error
                    time.sleep(0.02)
                else:
                    return

    def _why_not_ready(self, error: redis.RedisError) -> str:
        lines = _text(self.log).splitlines()[-8:]
        return "\n".join([f"Redis did not start on port {self.port}: {error}", *lines, f"(from {self.log})"])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
