"""Tables are made once, whoever comes first, and a wrong setting is told."""

import threading
from collections.abc import Sequence

import psycopg
import pytest

from mediaml_assets.errors import MarkenError, SchemaRefused, SettingsError
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.postgres.engine import PostgresEngine
from mediaml_assets.marken.schema import AnnotationType, Kind, Property
from mediaml_assets_tests.marken.canonical import SPOT, SPOT_2, VERDICT, spots, verdict

from .conftest import Opener


def test_many_make_the_same_tables_at_once(opened: Opener, two: Sequence[str]) -> None:
    engines = [opened(two) for _ in range(4)]
    barrier, failed = threading.Barrier(4), []

    def load(number: int) -> None:
        barrier.wait()
        try:
            for kind in (SPOT, SPOT_2):
                engines[number].start(kind, "alpha", f"writer {number}", {})
            engines[number].append(VERDICT, verdict("alpha+beta", "ann", str(number)))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    listed = engines[0].operations("SPOT")
    assert [(one.type_version, one.number) for one in listed] == [
        (version, n) for version in (1, 2) for n in (1, 2, 3, 4)
    ]
    assert engines[0].versions("alpha+beta/ann")["version"].to_pylist() == [1, 2, 3, 4]


def test_servers_in_another_order_or_number_are_refused(opened: Opener, two: Sequence[str]) -> None:
    opened(two).append(VERDICT, verdict("alpha+beta", "ann", "accept"))
    for scope in ("alpha", "beta", "gamma", "delta"):
        opened(two).start(SPOT, scope, "tester", {})
    for wrong in (two[::-1], two[:1], [two[0], two[0]]):
        with pytest.raises(SettingsError, match="order"):
            opened(wrong).snapshot()
        with pytest.raises(SettingsError, match="order"):
            for scope in ("alpha", "beta", "gamma", "delta"):
                opened(wrong).start(SPOT, scope, "tester", {})


def test_tables_of_a_later_version_are_refused(opened: Opener, database: str) -> None:
    opened([database]).start(SPOT, "alpha", "tester", {})
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE marken.layout SET version = 99")
    with pytest.raises(MarkenError, match="newer"):
        opened([database]).snapshot()


def test_a_type_that_changed_without_a_new_version_is_refused(opened: Opener, database: str) -> None:
    opened([database]).start(SPOT, "alpha", "tester", {})
    changed = AnnotationType("SPOT", 1, "x", (Property("count", Kind.NUMBER, "x"),), SPOT.bases)
    with pytest.raises(SchemaRefused, match="count"):
        opened([database]).start(changed, "beta", "tester", {})
    with pytest.raises(SchemaRefused, match="new version"):
        opened([database]).snapshot().select(Selection([changed], ["id"]))


def test_reading_makes_nothing(opened: Opener, database: str) -> None:
    engine = opened([database])
    assert engine.snapshot().count([SPOT], None) == 0
    assert engine.operations() == [] and engine.active(SPOT) == {} and engine.versions("x").num_rows == 0
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regnamespace('marken')").fetchone() == (None,)


@pytest.mark.parametrize("read", [["a=1"], ["host=x", "host=y"]])
def test_lists_of_servers_that_do_not_fit_are_refused(read: list[str]) -> None:
    with pytest.raises(SettingsError):
        PostgresEngine(["host=x"], read_servers=read)
    with pytest.raises(SettingsError):
        PostgresEngine([])


def test_partitions_are_a_setting(opened: Opener, database: str) -> None:
    engine = opened([database])
    operations = [engine.start(SPOT, f"title-{number}", "tester", {}) for number in range(8)]
    for operation in operations:
        engine.upsert(operation, spots(operation.scope, 2))
    with psycopg.connect(database) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM marken.rows_1_{part}").fetchone() for part in range(2)]
        assert all(count and count[0] for count in counts) and sum(count[0] for count in counts if count) == 16
        assert connection.execute("SELECT to_regclass('marken.rows_1_2')").fetchone() == (None,)
