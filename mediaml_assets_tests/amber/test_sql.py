"""The store as SQL views, in any DuckDB."""

from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from mediaml_assets.amber.ledger.compact import compact
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.amber.sql import VIEWS, connect, statements
from mediaml_assets.amber.store import Store
from mediaml_assets.cli import main
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


def test_views_and_macros_say_what_they_show(here: Installation) -> None:
    assert ask(here.store, VIEWS) == []
    here.deliver(one="abba")
    here.settle()
    shown = dict(ask(here.store, VIEWS))
    own = [(name, f"{name}_history", f"{name}_as_of(moment)") for name in ("counts", "letters", "source", "total")]
    general = ["ledger", "metrics", "history", "current", "current_as_of(moment)"]
    assert list(shown) == [*general, "congruence", "joined(feature1, feature2)", *sum(own, ())]
    assert shown["counts"] == "the current rows of counts" and all(shown.values())


def test_a_store_in_a_bucket_is_asked_the_same(here: Installation, s3_bucket: str, tmp_path: Path) -> None:
    here.deliver(one="abba", two="xyz", bad="a!", held="q")
    with pytest.raises(MediaRefused):
        here.compute("letters", "bad")
    here.settle()
    here.compute("total", "one", "two", factor=3)
    here.mesh = toy_mesh(version="2", remark="with confidences")
    (here.landing / "two.mp4").unlink()
    here.land()
    here.settle()
    there = Store(BucketObjects(f"s3://{s3_bucket}/it's a [store]"), tmp_path / "local")
    for one in here.store.objects.walk():
        there.objects.create(one.name, here.store.objects.read(one.name))
    for feature in there.objects.folders("ledger"):
        compact(there.objects, feature)
    escaped = there.objects.where.replace("'", "''")
    file = f"replace(file, '{here.store.objects.where}', '{escaped}')"
    with connect(here.store) as folder, connect(there) as bucket:
        names = [name.replace("moment", "now()") for name, _ in folder.sql(VIEWS).fetchall()]
        assert [name.replace("moment", "now()") for name, _ in bucket.sql(VIEWS).fetchall()] == names
        for name in set(names) - {"congruence", "joined(feature1, feature2)"}:
            moved = f" REPLACE ({file} AS file)" if name in ("history", "current", "current_as_of(now())") else ""
            wanted = folder.sql(f"SELECT *{moved} FROM {name} ORDER BY ALL").fetchall()
            assert bucket.sql(f"FROM {name} ORDER BY ALL").fetchall() == wanted and wanted, name
        # no extension did that
        loaded = "SELECT extension_name FROM duckdb_extensions() WHERE loaded AND install_mode != 'STATICALLY_LINKED'"
        assert bucket.sql(loaded).fetchall() == []


def run(*words: str) -> str:
    answer = CliRunner().invoke(main, words)
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_the_command_lists_the_views_and_asks_about_a_moment(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    then = here.store.view("counts", "one").commit.made_at
    here.deliver(one="xxxxxxx")
    here.settle()
    listed = run("sql")
    assert "counts_as_of(moment)" in listed and "the current rows of counts" in listed
    query = "SELECT 'n is ' || max(n) FROM counts"
    assert "n is 7" in run("sql", query) and "n is 2" in run("sql", "--as-of", then, query)
    assert "n is 2" in run("sql", query.replace("counts", f"counts_as_of('{then}')"))
    script = run("sql", "--init", "--as-of", then)
    assert not script.startswith("--")
    with duckdb.connect() as client:
        client.execute(script)
        assert client.sql(query).fetchall() == [("n is 2",)]
    answer = CliRunner().invoke(main, ["sql", "--as-of", "yesterday", query])
    assert answer.exit_code == 2 and "yesterday is no time" in answer.output


def test_a_vector_is_printed_by_its_beginning(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    printed = run("sql", 'SELECT range(999) AS long, [1, 2] AS "a ""short"" one", blob \'x\' AS bits, 7 AS n')
    assert "[0, 1, 2, 3, 4, 5, 6, …" in printed and "[1, 2]" in printed and "998" not in printed
    assert len(printed.split("\n")) == 8


def test_the_script_for_a_bucket_says_what_a_client_needs(
    home: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "mediaml.toml").write_text(f'bucket = "s3://{s3_bucket}/films"\n')
    first, second, *_ = run("sql", "--init").splitlines()
    assert "register_filesystem" in first and "httpfs" in second and first.startswith("--") and second.startswith("--")
