"""A private Redis: on 127.0.0.1 only, with a password, in memory only, ending with us."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

import redis

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.ports import HOST
from mindfulqalb.development.programs import Program
from mindfulqalb.development.servers import Server
from mindfulqalb.development.wheels import executable_copy, redis_server_from_wheel

NAMES = ("redis-server", "valkey-server")


class RedisServer(Server):
    """Redis. What it holds ends with it."""

    name = "Redis"
    start_seconds = 20
    silence = redis.RedisError

    @property
    def url(self) -> str:
        """The address of database 0, password included."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    def prepare(self) -> None:
        """Make folder and configuration, and end what an earlier run left running."""
        super().prepare()
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
            # Not where a link leads: Debian links it to a program that serves only when it is called by this name.
            return Path(found).absolute()
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

    def ask(self) -> None:
        """Ping."""
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            client.ping()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
