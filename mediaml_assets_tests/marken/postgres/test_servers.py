"""What is said of servers holds no password, and a dead connection is replaced."""

import secrets
from collections.abc import Sequence

import psycopg
import pytest

from mediaml_assets.errors import MarkenError, SettingsError, TitlesUnreachable
from mediaml_assets.marken.postgres.servers import Down, Server
from mediaml_assets_tests.marken.canonical import SPOT
from mediaml_assets_tests.marken.conformance.test_operations import load, marks
from mediaml_assets_tests.postgres_servers import PostgresServer

from .conftest import Opener

SECRET = "s3cr3t-word"


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://ann:{SECRET}%@host/database",
        f"postgresql://ann:{SECRET}@[host/database",
        f"host=x password={SECRET} nonsense",
        f"host=x password='{SECRET}",
        SECRET,
        f"host=x passwort={SECRET}",
    ],
)
def test_a_wrong_connection_string_is_not_repeated(dsn: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Server(dsn, 2)
    assert SECRET not in str(refused.value) and "server 2" in str(refused.value)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


@pytest.mark.parametrize(
    "form", ["postgresql://ann:{}@127.0.0.1:1/films", "host=127.0.0.1 port=1 password={} dbname=films"]
)
def test_a_server_that_does_not_answer_is_named_without_its_password(opened: Opener, form: str) -> None:
    engine = opened([form.format(SECRET)])
    with pytest.raises(TitlesUnreachable) as refused:
        engine.start(SPOT, "alpha", "tester", {})
    assert refused.value.titles == ("alpha",)
    with pytest.raises(TitlesUnreachable) as unread:
        engine.snapshot().count([SPOT], None, ["beta"])
    assert unread.value.titles == ("beta",)
    for told in (str(refused.value), str(unread.value), engine.where):
        assert SECRET not in told and "127.0.0.1:1/films" in told


def test_a_reason_that_repeats_the_password_is_told_without_it() -> None:
    server = Server(f"postgresql://ann:{SECRET}@host/database", 2)
    told = str(server._down(psycopg.OperationalError(f"cannot use {SECRET} for ann")))
    assert SECRET not in told and told.endswith("cannot use ... for ann")


def test_a_connection_that_was_cut_off_is_replaced(opened: Opener, database: str) -> None:
    engine = opened([database])
    engine.start(SPOT, "alpha", "tester", {})
    with psycopg.connect(database, autocommit=True) as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
        assert connection.execute(cut, [connection.info.backend_pid]).fetchall()
    assert len(engine.operations()) == 1


def test_a_reader_needs_to_read_alone(opened: Opener, database: str) -> None:
    load(opened([database]), "alpha", 2, mark=1)
    name = f"reader_{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        try:
            connection.execute(f"GRANT USAGE ON SCHEMA marken TO {name}")
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA marken TO {name}")
            engine = opened([database.replace("postgres@", f"{name}@")])
            assert marks(engine) == {"alpha": (2, 1)} and engine.versions("alpha-0").num_rows == 1
            assert engine.snapshot().words([SPOT], "label") == ["a", "cup"]
            with pytest.raises(MarkenError, match="permission denied"):
                engine.start(SPOT, "beta", "tester", {})
            engine.close()
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def test_one_who_fails_leaves_no_open_transaction(database: str) -> None:
    server = Server(database, 1)
    with pytest.raises(ZeroDivisionError), server.connection() as connection, connection.transaction():
        connection.execute("CREATE TABLE gone (x int)")
        1 / 0  # noqa: B018
    with server.connection() as connection:
        assert connection.execute("SELECT to_regclass('gone')").fetchone() == (None,)
    with server.connection() as again:
        assert again is connection, "what works is kept"
    server.close()


def test_a_server_that_starts_again_answers_again(
    postgres_servers: Sequence[PostgresServer], two: Sequence[str]
) -> None:
    server = Server(two[1], 2)
    with server.connection() as connection:
        connection.execute("SELECT 1")
    postgres_servers[1].kill()
    with pytest.raises(Down, match="server 2"), server.connection():
        pass
    postgres_servers[1].start()
    with server.connection() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.close()
