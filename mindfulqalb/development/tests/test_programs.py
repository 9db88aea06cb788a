"""Programs end with the process that started them, in whatever way it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mindfulqalb.development.ports import free_port
from mindfulqalb.development.temporary_home import temporary_home
from mindfulqalb.development.tests.processes import wait_until_gone

ROOT = Path(__file__).resolve().parents[3]
# Starts both servers, says which processes they are, and waits.
SERVE = """
import sys, time
from pathlib import Path
import redis
from mindfulqalb.development.postgres import PostgresServer
from mindfulqalb.development.redis import RedisServer

home = Path(sys.argv[1])
with PostgresServer(home, int(sys.argv[2]), durable=False), RedisServer(home, int(sys.argv[3])) as cache:
    postmaster = (home / "postgres" / "postmaster.pid").read_text().split()[0]
    print(postmaster, redis.Redis.from_url(cache.url).info("server")["process_id"], flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_servers_end_with_the_process_that_started_them(ending: signal.Signals) -> None:
    with temporary_home() as home:
        command = [sys.executable, "-c", SERVE, str(home), str(free_port()), str(free_port())]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
            assert run.stdout is not None
            servers = [int(pid) for pid in run.stdout.readline().split()]
            run.send_signal(ending)
        assert len(servers) == 2
        wait_until_gone(*servers)
        assert not (home / "postgres" / "postmaster.pid").exists()  # it ended in good order
