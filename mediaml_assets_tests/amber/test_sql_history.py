"""SQL over chains that grow, are compacted and are asked about former moments, beside what Python says of them."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediaml_assets.amber import sql
from mediaml_assets.amber.commits import record
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit, row_name
from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.names import CATALOGUE, value_name
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.sql import connect, statements
from mediaml_assets.amber.store import Store, open_store
from mediaml_assets.errors import NotStored

START = datetime(2026, 1, 1, tzinfo=UTC)
CHAINS = [("shots", "one"), ("shots", "two"), ("shots", "one@0123"), ("motion", "one"), ("total", CATALOGUE)]
FEATURES = sorted({feature for feature, _ in CHAINS})
KINDS = ["computed", "wider", "held back", "refused", "withdrawn"]

Step = tuple[int, str, int, int]
"""Chain, kind (or `compact`, or `killed`), number in the value (or operations until killed), seconds since the last."""


class Killed(BaseException):
    """In place of SIGKILL."""


class Dying(FolderObjects):
    """Lives for some removals."""

    left = 0

    def remove(self, name: str) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1
        super().remove(name)


def add(store: Store, chain: tuple[str, str], kind: str, number: int, made_at: datetime) -> None:
    """One more commit of a chain."""
    feature, scope = chain
    head = store.ledger.head(feature, scope)
    before = head.current if head else None
    value = None
    if kind not in ("refused", "withdrawn"):
        table = pa.table({"n": [number, number + 1]})
        if kind == "wider":
            table = table.append_column("remark", pa.array(["a", None]))
        value = store.write_rows(feature, table, f"key-{number}", column_digests(table))
    current = {"held back": before, "refused": before, "withdrawn": None}.get(kind, value)
    commit = Commit(
        feature,
        scope,
        event=kind if kind in ("refused", "withdrawn") else "computed",  # type: ignore[arg-type]
        value=value,
        current=current,
        key="" if kind == "withdrawn" else f"key-{number}",
        generation=number,
        made_at=made_at.isoformat(timespec="microseconds"),
        metrics={"rows": 2.0 * number} if value else {},
        reason=f"it's {kind}" if kind in ("refused", "held back") else "",
    )
    assert store.ledger.append(commit, head)


def fold(store: Store) -> None:
    for feature in store.objects.folders("ledger"):
        assert compact(store.objects, feature).left == {}


def follow(store: Store, steps: Iterable[Step]) -> None:
    """Make a history; clocks go back where seconds are negative."""
    now = START
    for chain, kind, number, seconds in steps:
        now += timedelta(seconds=seconds)
        if kind == "compact":
            fold(store)
        elif kind == "killed" and isinstance(store.objects, Dying):
            store.objects.left = number
            with pytest.raises(Killed):
                while True:
                    fold(store)
                    add(store, CHAINS[chain], "computed", number, now)
            store.objects.left = -1
        else:
            add(store, CHAINS[chain], kind, number, now)


def chains(store: Store) -> list[Commit]:
    """Every commit, as Python reads them."""
    names = store.objects.folders("ledger")
    return [one for name in names for scope in store.ledger.scopes(name) for one in store.ledger.chain(name, scope)]


def asked(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return in_order(connection.execute(query, values).fetchall())


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


def digest(commit: Commit) -> str | None:
    return commit.current.digest if commit.current else None


def check_all(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Every commit once, and what it says."""
    commits = chains(store)
    columns = "feature, scope, seq, event, current.digest, key, generation, made_at, reason, before"
    assert asked(connection, f"SELECT {columns} FROM ledger") == in_order(
        (
            *(one.feature, one.scope, one.seq, one.event, digest(one), one.key, one.generation),
            *(datetime.fromisoformat(one.made_at), one.reason, one.before),
        )
        for one in commits
    )
    metrics = ((one.feature, one.scope, one.seq, number) for one in commits for number in one.metrics.values())
    assert asked(connection, "SELECT feature, title, seq, value FROM metrics") == in_order(metrics)
    commits = [one for one in commits if "@" not in one.scope]
    history = ((one.feature, one.scope, one.seq, digest(one), one.reason) for one in commits)
    assert asked(connection, "SELECT feature, title, seq, digest, reason FROM history") == in_order(history)
    for feature in {one.feature for one in commits if one.current}:
        # two rows in each value
        past = ((one.seq, one.generation) for one in commits if one.feature == feature and one.current)
        seqs = asked(connection, f"SELECT seq FROM {feature}_history")
        assert seqs == in_order((seq,) for seq, _ in past for _ in range(2))


def check_moment(store: Store, connection: duckdb.DuckDBPyConnection, moment: datetime | None, ask: str = "{}") -> None:
    """What was current then, and its rows. `ask` makes a view's name what is asked; values of ? are the moment."""
    values = [moment] if "?" in ask else []
    stood = {}
    ever = set()
    for feature in store.objects.folders("ledger"):
        for title in (scope for scope in store.ledger.scopes(feature) if "@" not in scope):
            chain = store.ledger.chain(feature, title)
            ever |= {feature for one in chain if one.current}
            if commit := store.ledger.as_of(feature, title, moment) if moment else chain[-1]:
                stood[feature, title] = commit
    found = asked(connection, f"SELECT feature, title, seq, digest FROM {ask.format('current')}", *values)
    assert found == in_order((*chain, commit.seq, digest(commit)) for chain, commit in stood.items())
    for feature in ever:
        wanted = []
        for _, title in (chain for chain in stood if chain[0] == feature):
            try:
                view = store.view(feature, title, moment)
            except NotStored:
                continue
            prefix = {} if title == CATALOGUE else {"title": title}
            wanted += [] if view.withdrawn else [prefix | row for row in view.table().to_pylist()]
        relation = connection.sql(f"FROM {ask.format(feature)}", params=values)
        # a column that only other versions have is null
        empty = dict.fromkeys(relation.columns)
        rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
        assert sorted(map(repr, rows)) == sorted(repr(empty | row) for row in wanted)


def check(store: Store) -> None:
    """Everything, at every moment at which anything changed and around it."""
    times = {datetime.fromisoformat(one.made_at) for one in chains(store)}
    moments = sorted({time + timedelta(microseconds=by) for time in times for by in (-1, 0)})
    with connect(store) as connection:
        check_all(store, connection)
        check_moment(store, connection, None)
        for moment in [*moments, max(times) + timedelta(days=1)]:
            check_moment(store, connection, moment, "{}_as_of(?)")
    middle = moments[len(moments) // 2]
    with connect(store, as_of=middle) as connection:
        check_all(store, connection)
        check_moment(store, connection, middle)


STEPS = st.tuples(
    st.integers(0, len(CHAINS) - 1),
    st.sampled_from([*KINDS, *KINDS, "compact", "killed"]),
    st.integers(0, 3),
    st.integers(-2, 5),
)


@settings(max_examples=8)
@given(st.lists(STEPS, min_size=1, max_size=14))
@example([(0, "computed", 1, 1), (0, "wider", 2, 1), (0, "compact", 0, 0), (0, "withdrawn", 0, 1), (1, "killed", 1, 1)])
@example([(0, "computed", 1, 5), (0, "computed", 2, -3), (0, "computed", 3, 1), (0, "compact", 0, 0)])
@example([(4, "computed", 1, 1), (3, "refused", 0, 0), (2, "computed", 3, 1), (3, "held back", 2, 1)])
def test_any_history_is_what_python_says_it_is(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Dying(Path(folder)))
        store.objects.left = -1  # type: ignore[attr-defined]
        follow(store, [(0, "computed", 9, 1), *steps])
        check(store)


PLAIN: list[Step] = [
    (0, "computed", 1, 1),
    (1, "wider", 2, 1),
    (0, "wider", 3, 2),
    (4, "computed", 4, 1),
    (1, "withdrawn", 0, 1),
    (2, "computed", 5, 1),
]


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    where = str(tmp_path / "store")
    if request.param == "bucket":
        where = f"s3://{request.getfixturevalue('s3_bucket')}/it's a [store]"
    return open_store(where, tmp_path / "local")


def test_compaction_changes_no_view(store: Store) -> None:
    follow(store, PLAIN)
    with connect(store) as connection:
        check_all(store, connection)
        before = chains(store)
    fold(store)
    assert chains(store) == before
    with connect(store) as connection:
        check_all(store, connection)
        # nothing of what the fold holds was read from its row again
        assert asked(connection, 'SELECT count(*) FROM temp."ledger rows"') == [(0,)]
    follow(store, [(0, "refused", 6, 60), (3, "computed", 7, 1)])
    with connect(store) as connection:
        check_all(store, connection)
        check_moment(store, connection, None)
        check_moment(store, connection, START + timedelta(seconds=3), "{}_as_of(?)")
        assert asked(connection, 'SELECT count(*) FROM temp."ledger rows"') == [(2,)]


def test_what_a_fold_holds_is_believed_there(store: Store) -> None:
    follow(store, PLAIN)
    (first, *_) = store.ledger.chain("shots", "one")
    fold(store)
    # a writer that slept since before the first commit created it again, and was killed before it saw that
    late = json.loads(first.text) | {"reason": "late"}
    assert store.objects.create(row_name("shots", "one", 0), json.dumps(late).encode())
    with connect(store) as connection:
        check_all(store, connection)
        check_moment(store, connection, None)


def test_statements_show_what_is_there_when_they_are_run(store: Store) -> None:
    follow(store, PLAIN)
    script = ";\n".join(statements(store))
    with duckdb.connect() as client:
        if filesystem := store.objects.filesystem():
            client.register_filesystem(filesystem)
        for more in ([(0, "compact", 0, 0)], [(0, "computed", 6, 60), (0, "compact", 0, 0), (1, "refused", 1, 70)]):
            follow(store, more)
            client.execute(script)
            check_all(store, client)
            check_moment(store, client, None)
        follow(store, [(0, "computed", 8, 80)])
        before = client.sql("SELECT count(*) FROM ledger").fetchall()
        # one state of the store, also after a compaction; the second removes what is read
        fold(store)
        assert client.sql("SELECT count(*) FROM ledger").fetchall() == before
        assert client.sql("SELECT max(n) FROM shots").fetchall() == [(7,)]


def test_a_compaction_at_any_moment_hides_no_commit(tmp_path: Path) -> None:
    whole = Store(tmp_path / "whole")
    follow(whole, [*PLAIN, (0, "compact", 0, 0), (0, "computed", 8, 60), (0, "computed", 9, 1)])
    wanted = len(chains(whole))
    script = statements(whole)
    outcomes = []
    for place in range(8):
        store = Store(Path(shutil.copytree(whole.objects.where, tmp_path / str(place))))
        with duckdb.connect() as client:
            try:
                for number, statement in enumerate(script):
                    if number == place:
                        fold(store)
                    client.execute(statement.replace(whole.objects.where, store.objects.where))
                (outcome,) = client.sql("SELECT count(*) FROM ledger").fetchall()
                assert outcome == (wanted,)
                check_all(store, client)
                outcomes.append("right")
            except duckdb.Error:
                outcomes.append("error")
    # between the listing and the reading of rows, what was listed is gone: an error, never an answer
    assert outcomes == ["right"] * 3 + ["error"] * 2 + ["right"] * 3


def test_views_are_made_again_when_a_compaction_was_in_the_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(store, [*PLAIN, (0, "computed", 8, 60)])
    ledger, calls = sql.ledger, []

    def disturbed(place: Any) -> Iterator[str]:
        calls.append(place)
        for number, statement in enumerate(ledger(place)):
            if number == 4 and len(calls) == 1:
                fold(store)
            yield statement

    monkeypatch.setattr(sql, "ledger", disturbed)
    with connect(store) as connection:
        check_all(store, connection)
    assert len(calls) == 2


def test_a_value_that_was_lost_has_no_rows(store: Store) -> None:
    follow(store, PLAIN)
    for chain, number in ((0, 1), (4, 4)):
        feature, scope = CHAINS[chain]
        name = value_name(feature, digest(store.ledger.chain(feature, scope)[0]) or "")
        store.objects.remove(name)
        record(store, feature, scope, "repaired", {name: ""}, "lost")
        if chain == 0:
            add(store, CHAINS[1], "computed", number, START + timedelta(days=1))
    with connect(store) as connection:
        found = "SELECT title, seq, n FROM shots{} ORDER BY ALL"
        current = [("one", 1, 3), ("one", 1, 4), ("one", 2, 3), ("one", 2, 4)]
        again = [("two", 2, 1), ("two", 2, 2)]
        assert connection.sql(found.format("_history")).fetchall() == [*current, ("two", 0, 2), ("two", 0, 3), *again]
        views = {name for name, _ in connection.sql(sql.VIEWS).fetchall()}
        assert "shots_as_of(moment)" in views and "total" not in views
        files = connection.sql("SELECT title, seq FROM history WHERE digest IS NOT NULL AND file IS NULL").fetchall()
        assert sorted(files) == [(CATALOGUE, 0), ("one", 0)]


def test_damage_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    follow(store, PLAIN)
    path = tmp_path / "store" / row_name("shots", "one", 1)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(duckdb.Error, match="JSON"):
        connect(store)
