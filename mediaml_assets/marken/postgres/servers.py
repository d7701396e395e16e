"""PostgreSQL servers: connections that are kept, and what is said of a server that does not answer.

`psycopg_pool` is not used: it connects behind the asker's back and lets it wait out its whole time where a server is
down; here the asker hears at once.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import conninfo, errors

from mediaml_assets.errors import MarkenError, SettingsError

Connection = psycopg.Connection[tuple[Any, ...]]

_LEFT_UNSAID = {"password", "sslpassword", "passfile", "sslkey", "oauth_client_secret"}
_GIVEN_UP = (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow)
# an index may answer with fewer rows than are asked for unless it goes on; plans are made for the values at hand;
# compiling costs more than these statements do
_SETTINGS = """
SET hnsw.iterative_scan = strict_order;
SET plan_cache_mode = force_custom_plan;
SET jit = off;
SET timezone = 'UTC'
"""


class Down(Exception):
    """A server does not answer; the message says which, and why."""


class Server:
    """One server, or one of several hosts that hold the same: whichever answers."""

    def __init__(self, dsn: str, number: int) -> None:
        """Nothing is connected yet.

        Args:
            dsn: `postgresql://user@host,host/database?...` or `host=... dbname=...`, as libpq reads it.
            number: from 1, for people.

        Raises:
            SettingsError: it is no connection string; what stands in it is not repeated.
        """
        try:
            self._given = conninfo.conninfo_to_dict(dsn)
        except psycopg.ProgrammingError:
            told = "is no PostgreSQL connection string: write postgresql://user@host/database, or host=... dbname=..."
            raise SettingsError(f"server {number} of the annotations {told}") from None
        self.number = number
        self._idle: deque[Connection] = deque()

    @property
    def where(self) -> str:
        """Hosts and database, for people."""
        host = self._given.get("host") or self._given.get("hostaddr") or "local"
        port = f":{self._given['port']}" if "port" in self._given else ""
        return f"{host}{port}/{self._given.get('dbname') or self._given.get('user') or ''}"

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that answers, of this caller alone; statements commit one by one outside a transaction.

        Raises:
            Down: the server does not answer, or ceases to.
            MarkenError: it refuses a statement: it is a read replica, lacks pgvector or room, or takes too long.
        """
        connection = self._taken()
        try:
            yield connection
        except psycopg.Error as error:
            broken = connection.broken or isinstance(error, _GIVEN_UP)
            connection.close()
            raise (self._down(error) if broken else self._refused(error)) from None
        except BaseException:
            # it may be within a statement or a transaction of the one who failed
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Let go of what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> Connection:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return self._connected()
            with suppress(psycopg.Error):
                connection.execute("")
                return connection
            connection.close()

    def _connected(self) -> Connection:
        # a host that vanished without a word is noticed after as long
        patience: dict[str, Any] = {"connect_timeout": 5, "tcp_user_timeout": 10_000} | self._given
        try:
            connection = psycopg.connect(**patience, autocommit=True)
            connection.execute(_SETTINGS)
        except psycopg.OperationalError as error:
            raise self._down(error) from None
        return connection

    def _refused(self, error: psycopg.Error) -> MarkenError:
        told = f"server {self.number} ({self.where})"
        if isinstance(error, errors.ReadOnlySqlTransaction):
            return MarkenError(
                f"{told} is a read replica: write to its primary, and name the replica among the servers to read from"
            )
        if isinstance(error, (errors.FeatureNotSupported, errors.UndefinedFile)):
            return MarkenError(f"{told} needs pgvector 0.8 or newer: {error.diag.message_primary}")
        return MarkenError(f"{told} refused a statement: {error.diag.message_primary or error}")

    def _down(self, error: psycopg.Error) -> Down:
        reason = " ".join(str(error).split())
        for key in _LEFT_UNSAID & self._given.keys():
            reason = reason.replace(str(self._given[key]), "...")
        return Down(f"server {self.number} ({self.where}) does not answer: {reason}")
