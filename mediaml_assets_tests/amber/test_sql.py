"""The store as SQL views, in any DuckDB."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from mediaml_assets.amber.sql import connect, statements
from mediaml_assets.amber.store import CATALOGUE, Store
from mediaml_assets.errors import MediaRefused
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.toy import toy_mesh


def ask(store: Store, query: str) -> list[tuple[Any, ...]]:
    with connect(store) as connection:
        return connection.sql(query).fetchall()


def views(store: Store) -> set[str]:
    return {name for (name,) in ask(store, "SELECT view_name FROM duckdb_views() WHERE NOT internal")}


def test_an_empty_store_has_no_views(here: Installation) -> None:
    assert list(statements(here.store)) == []
    assert views(here.store) == set()


def test_a_ledger_that_was_only_begun_has_no_views(here: Installation) -> None:
    here.store.objects.path("ledger/counts/one/000000").mkdir(parents=True)
    assert views(here.store) == set()


def test_there_is_a_view_for_each_feature_and_its_history(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    features = {"source", "letters", "counts", "total"}
    assert views(here.store) == {
        "ledger",
        "history",
        "current",
        "metrics",
        "congruence",
        *features,
        *(f"{f}_history" for f in features),
    }


def test_a_features_view_shows_current_values_with_their_title(here: Installation) -> None:
    here.deliver(one="abba", two="xx")
    here.settle()
    rows = "SELECT title, letter, n FROM counts ORDER BY ALL"
    assert ask(here.store, rows) == [("one", "a", 2), ("one", "b", 2), ("two", "x", 2)]
    here.deliver(two="y")
    here.settle()
    assert ask(here.store, rows) == [("one", "a", 2), ("one", "b", 2), ("two", "y", 1)]
    assert ask(here.store, "FROM total ORDER BY ALL") == [("one", 4), ("two", 1)]


def test_titles_that_share_a_value_each_show_it(here: Installation) -> None:
    here.deliver(one="a", two="a")
    here.settle()
    assert ask(here.store, "SELECT title, n FROM counts ORDER BY ALL") == [("one", 1), ("two", 1)]


def test_history_shows_every_value_that_was_current(here: Installation) -> None:
    for text in ("a", "aa", "a"):
        here.deliver(one=text)
        here.settle()
    rows = ask(here.store, "SELECT title, seq, n FROM counts_history ORDER BY seq")
    assert rows == [("one", 0, 1), ("one", 1, 2), ("one", 2, 1)]
    times = ask(here.store, "SELECT made_at FROM counts_history ORDER BY seq")
    chain = here.store.ledger.chain("counts", "one")
    assert [time for (time,) in times] == [datetime.fromisoformat(one.made_at) for one in chain]


def test_the_ledger_shows_commits_and_current_where_each_stands(here: Installation) -> None:
    here.deliver(one="abba", bad="a!", held="q")
    with pytest.raises(MediaRefused):
        here.compute("letters", "bad")
    here.settle()
    rows = "SELECT title, event, digest IS NOT NULL, reason FROM current WHERE feature = '{}' ORDER BY title"
    assert ask(here.store, rows.format("letters")) == [
        ("bad", "refused", False, "bad.mp4 holds a '!'; remove it and deliver the file again"),
        ("held", "computed", True, ""),
        ("one", "computed", True, ""),
    ]
    assert ask(here.store, rows.format("counts")) == [
        ("held", "computed", False, "q is not allowed"),
        ("one", "computed", True, ""),
    ]
    commits = sum(len(list(here.store.commits(name))) for name in ("source", "letters", "counts", "total"))
    assert ask(here.store, "SELECT count(*) FROM ledger") == [(commits,)]
    wanted = here.store.view("counts", "one").commit
    (row,) = ask(
        here.store,
        "SELECT current.digest, value.rows, key, generation, environment ->> 'python', inputs ->> 'letters' "
        "FROM ledger WHERE feature = 'counts' AND scope = 'one'",
    )
    assert wanted.current is not None
    assert row == (
        wanted.current.digest,
        2,
        wanted.key,
        1,
        here.store.environment(wanted.environment)["python"],
        here.store.view("letters", "one").value.digest,
    )


def test_metrics_are_rows(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    rows = "SELECT feature, title, value FROM metrics WHERE metric = 'rows' ORDER BY ALL"
    assert ask(here.store, rows) == [("counts", "one", 2.0), ("letters", "one", 4.0), ("total", CATALOGUE, 1.0)]
    names = "SELECT list(metric ORDER BY metric) FROM metrics WHERE feature = 'counts'"
    assert ask(here.store, names) == [(["cpu_seconds", "memory_bytes", "n.max", "n.min", "rows", "seconds"],)]


def test_an_ad_hoc_answer_is_in_the_ledger_only(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    here.compute("total", "one", "two", factor=3)
    assert ask(here.store, "FROM total ORDER BY ALL") == [("one", 4), ("two", 3)]
    assert ask(here.store, "SELECT count(*) FROM total_history") == [(2,)]
    assert ask(here.store, "SELECT config ->> 'factor' FROM ledger WHERE contains(scope, '@')") == [("3",)]


def test_a_withdrawn_title_leaves_the_view_and_stays_in_history(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    here.settle()
    assert ask(here.store, "SELECT DISTINCT title FROM counts") == [("two",)]
    assert ask(here.store, "SELECT DISTINCT title FROM counts_history ORDER BY 1") == [("one",), ("two",)]
    assert ask(here.store, "FROM total") == [("two", 3)]


def test_a_feature_whose_titles_all_went_is_an_empty_view(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    here.settle()
    assert ask(here.store, "SELECT title, letter, n FROM counts") == []
    assert ask(here.store, "FROM total") == []
    assert len(ask(here.store, "FROM counts_history")) == 2


def test_a_feature_that_never_had_a_current_value_has_no_view(here: Installation) -> None:
    here.deliver(held="q")
    here.settle()
    assert {"letters", "total"} <= views(here.store) and not {"counts", "counts_history"} & views(here.store)
    assert ask(here.store, "SELECT reason FROM current WHERE feature = 'counts'") == [("q is not allowed",)]


def test_statements_work_in_another_client_and_again(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    script = ";\n".join(statements(here.store))
    with duckdb.connect() as client:
        client.execute(script)
        assert client.sql("FROM total").fetchall() == [("one", 4)]
        here.deliver(one="xyz", two="x")
        here.settle()
        # until the statements are run again, a feature's view is what it was, not half of it
        assert client.sql("FROM total").fetchall() == [("one", 4)]
        assert client.sql("SELECT sum(n) FROM counts").fetchall() == [(4,)]
        client.execute(";\n".join(statements(here.store)))
        assert client.sql("FROM total ORDER BY ALL").fetchall() == [("one", 3), ("two", 1)]


def test_values_of_other_schemas_are_read_together(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.mesh = toy_mesh(version="2", remark="with confidences")
    here.settle()
    rows = ask(here.store, "SELECT DISTINCT seq, remark FROM counts_history ORDER BY ALL")
    assert rows == [(0, ""), (1, "with confidences")]


@pytest.mark.parametrize("name", ["with space", "it's", "[a]*?", "Füße", "50%", "semi;colon--", 'double"quote'])
def test_the_store_may_lie_anywhere(home: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (home / name).mkdir()
    monkeypatch.setenv("MEDIAML_HOME", str(home / name))
    here = Installation(home / name)
    here.deliver(one="abba")
    here.settle()
    assert ask(here.store, "FROM total") == [("one", 4)]
    assert ask(here.store, "SELECT title, n FROM counts ORDER BY letter") == [("one", 2), ("one", 2)]
    assert ask(here.store, "SELECT count(*) FROM letters_history") == [(4,)]
