"""Promises 1 to 4: what is recalled, what is computed, and what is written down about it."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import pyarrow as pa
import pytest

from mediaml_assets.amber import evaluation
from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.columns import blob
from mediaml_assets.amber.evaluation import Outcome, commit, evaluate
from mediaml_assets.amber.feature import DRIFT, AmberFeature, Check, amber_feature
from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.profile import profile
from mediaml_assets.amber.store import Store, encode
from mediaml_assets.errors import FeatureError, InputMoved, MediaRefused, NotStored
from mediaml_assets_tests.amber.installation import Installation
from mediaml_assets_tests.amber.processes import files_below, together
from mediaml_assets_tests.amber.toy import Letters, Shares, called, calls, counts_version, letters, total, toy_mesh

N = pa.schema([("n", pa.int64())])


def over_letters(fn: Callable[..., pa.Table], **declared: Any) -> AmberFeature:
    """A feature `fn` that reads `letters`."""
    return amber_feature(**{"version": "1", "schema": N, **declared})(fn)


def with_features(here: Installation, *features: AmberFeature) -> None:
    here.mesh = Mesh([letters, *features], sources=["source"])


def ask(here: Installation, name: str, *titles: str, **settings: object) -> Ask:
    return here.mesh.ask(here.store, name, titles, settings)


def test_the_same_key_is_recalled_and_writes_nothing(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    before, files = calls(), files_below(here.store.objects.root)
    heads = [here.store.ledger.head(name, "one") for name in ("letters", "counts")]
    assert [here.compute(name, "one") for name in ("letters", "counts")] == heads
    assert calls() == before and files_below(here.store.objects.root) == files


def test_a_hit_that_changes_the_current_value_is_one_row(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    versions = [toy_mesh(version, factor=factor) for version, factor in (("2", 10), ("1", 1), ("2", 10))]
    events = []
    for mesh in versions:
        here.mesh = mesh
        here.settle()
        events.append([(one.event, one.seq) for one in here.store.ledger.chain("counts", "one")][-1])
    assert events == [("computed", 1), ("reused", 2), ("reused", 3)]
    assert calls().count("counts/one") == 2
    assert here.totals() == {"one": 40}


def test_a_consumer_depends_on_the_columns_it_reads_only(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    before = calls()
    here.mesh = toy_mesh(version="2", remark="with confidences")
    here.settle()
    assert calls()[len(before) :] == ["counts/one"]
    here.mesh = toy_mesh(version="3", factor=2)
    here.settle()
    assert calls()[len(before) + 1 :] == ["counts/one", "total/one"]


def test_the_key_holds_configuration_and_version_but_not_the_title(here: Installation) -> None:
    here.deliver(one="abba", two="abba")
    here.compute("letters", "one")
    here.compute("letters", "two")
    one, two = (ask(here, "counts", title) for title in ("one", "two"))
    assert one.key == two.key and one.chain != two.chain
    assert replace(one, feature=counts_version("2", "")).key != one.key
    here.settle()
    keys = [ask(here, "total", "one", "two", **settings).key for settings in ({}, {"factor": 2}, {"titles": ("one",)})]
    assert len(set(keys)) == 3


def test_equal_content_of_two_titles_is_computed_once(here: Installation) -> None:
    here.deliver(one="abba", two="abba")
    here.settle()
    assert len([call for call in calls() if call.startswith("counts/")]) == 1
    assert here.totals() == {"one": 4, "two": 4}


def test_an_ad_hoc_configuration_is_an_answer_of_its_own(here: Installation) -> None:
    here.deliver(one="abba", two="xyz")
    here.settle()
    current = here.store.view("total", CATALOGUE)
    answer = here.compute("total", "one", "two", factor=3, titles=["two"])
    assert answer.scope.startswith(f"{CATALOGUE}@") and answer.config == {"factor": 3, "titles": ("two",)}
    assert here.store.view("total", answer.scope).row() == {"title": "two", "n": 9}
    assert here.store.view("total", CATALOGUE) == current
    before = calls()
    assert here.compute("total", "one", "two", factor=3, titles=["two"]).digest == answer.digest
    assert calls() == before
    assert here.compute("total", "one", "two", factor=1).scope == CATALOGUE


def test_a_configuration_may_name_files_whose_content_counts(here: Installation) -> None:
    @dataclass(frozen=True)
    class Model:
        folder: str = "model"

        def key_parts(self) -> Mapping[str, str]:
            return {"weights": weights[0]}

    def scored(letters: Letters, config: Model) -> pa.Table:
        return pa.table({"n": [1]}, schema=N)

    with_features(here, over_letters(scored))
    here.deliver(one="abba")
    here.compute("letters", "one")
    weights = ["first"]
    first = ask(here, "scored", "one").key
    weights[0] = "second"
    assert ask(here, "scored", "one").key != first


def test_an_unknown_configuration_is_an_error(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    with pytest.raises(FeatureError, match="total has no configuration named size; it has factor, titles"):
        here.compute("total", "one", size=3)


def test_versions_of_named_libraries_are_in_the_key(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(letters: Letters) -> pa.Table:
        return pa.table({"n": [1]}, schema=N)

    with_features(here, over_letters(decoded, libs=["pyarrow"]))
    here.deliver(one="abba")
    here.compute("letters", "one")
    first = ask(here, "decoded", "one")
    assert first.material["libs"] == {"pyarrow": pa.__version__}
    monkeypatch.setattr("mediaml_assets.amber.ask._version", lambda distribution: "99")
    assert ask(here, "decoded", "one").key != first.key


def written(body: str, **declared: Any) -> AmberFeature:
    """The feature `size` with some body, as one state of its source file."""
    space: dict[str, Any] = {"__name__": "mediaml_assets_tests.amber.written", "pa": pa, "N": N, "Letters": Letters}
    exec(f"def size(letters: Letters) -> pa.Table:\n    {body}", space)
    return over_letters(space["size"], **declared)


SIZE = 'return pa.table({"n": [len(letters.text)]}, schema=N)'
SAME = '"""How many."""\n    text = letters.text\n    ' + SIZE.replace("letters.text", "text")
TWICE = SIZE.replace("len(letters.text)", "2 * len(letters.text)")


def test_without_a_version_the_key_follows_the_code(here: Installation) -> None:
    here.deliver(one="abba")
    here.compute("letters", "one")
    found = []
    for body in (SIZE, SIZE + "  # a remark", TWICE, SIZE):
        with_features(here, written(body, version=None))
        outcome = evaluate(here.store, ask(here, "size", "one"))
        found.append((outcome.memo is not None, DRIFT in outcome.failed, commit(here.store, outcome).seq))
    assert found == [
        (False, False, 0),
        (True, False, 0),
        (False, False, 1),
        (True, False, 2),
    ]
    assert here.store.view("size", "one").row() == {"n": 4}


def test_code_that_changed_under_a_version_is_a_failed_check(here: Installation) -> None:
    here.deliver(one="abba")
    here.compute("letters", "one")
    with_features(here, written(SIZE))
    here.compute("size", "one")
    with_features(here, written(TWICE))
    outcome = evaluate(here.store, ask(here, "size", "one"))
    assert outcome.memo is not None and not outcome.held_back
    assert "the code of size changed, but its version is still '1'" in outcome.failed[DRIFT]
    with_features(here, written(TWICE, version="2"))
    assert DRIFT not in evaluate(here.store, ask(here, "size", "one")).failed


def test_other_rows_than_declared_name_both_schemas(here: Installation) -> None:
    def size(letters: Letters) -> pa.Table:
        return pa.table({"n": ["four"]})

    with_features(here, over_letters(size))
    here.deliver(one="abba")
    here.compute("letters", "one")
    with pytest.raises(
        FeatureError, match=r"size of one returned other rows.*\n.*declared:\nn: int64\nreturned:\nn: string"
    ):
        here.compute("size", "one")
    assert here.store.ledger.head("size", "one") is None
    assert not here.store.is_claimed("size", ask(here, "size", "one").key)


def test_something_that_is_no_table_is_named(here: Installation) -> None:
    def size(letters: Letters) -> pa.Table:
        return {"n": [1]}

    with_features(here, over_letters(size))
    here.deliver(one="abba")
    here.compute("letters", "one")
    with pytest.raises(FeatureError, match="returned:\ndict"):
        here.compute("size", "one")


def test_nulls_where_none_are_declared_are_named(here: Installation) -> None:
    schema = pa.schema([pa.field("n", pa.int64(), nullable=False)])

    def size(letters: Letters) -> pa.Table:
        return pa.table({"n": [1, None]}, schema=schema)

    with_features(here, over_letters(size, schema=schema))
    here.deliver(one="abba")
    here.compute("letters", "one")
    with pytest.raises(FeatureError, match="size of one returned nulls in n, declared without"):
        here.compute("size", "one")


def test_a_column_that_the_input_lacks_is_named(here: Installation) -> None:
    class Confidences(Letters):
        columns: ClassVar[tuple[str, ...]] = ("letter", "confidence")

    def size(letters: Confidences) -> pa.Table:
        return pa.table({"n": [1]}, schema=N)

    with_features(here, over_letters(size))
    here.deliver(one="abba")
    here.compute("letters", "one")
    with pytest.raises(
        FeatureError, match="Confidences reads confidence, which letters of one does not have; it has letter"
    ):
        here.compute("size", "one")


def test_a_refused_file_is_written_down_with_its_reason(here: Installation) -> None:
    here.deliver(bad="a!")
    with pytest.raises(MediaRefused):
        here.compute("letters", "bad")
    head = here.store.ledger.head("letters", "bad")
    assert head is not None and (head.event, head.value, head.current) == ("refused", None, None)
    assert head.reason == "bad.mp4 holds a '!'; remove it and deliver the file again"
    assert not here.store.is_claimed("letters", head.key)
    assert here.stale() == []
    with pytest.raises(NotStored, match=r"letters has no value for bad: it was refused \(bad.mp4 holds a '!'"):
        ask(here, "counts", "bad")


def test_a_refused_delivery_leaves_the_value_before_it_current(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    here.deliver(one="a!")
    with pytest.raises(MediaRefused):
        here.compute("letters", "one")
    assert here.store.view("letters", "one").table().num_rows == 4
    assert here.stale() == [] and here.totals() == {"one": 4}


def test_any_other_error_leaves_no_trace(here: Installation) -> None:
    here.deliver(one="crash")
    key = ask(here, "letters", "one").key
    for _ in range(2):
        with pytest.raises(RuntimeError):
            here.compute("letters", "one")
    assert here.store.ledger.head("letters", "one") is None and here.store.recall("letters", key) is None
    assert not here.store.is_claimed("letters", key)
    assert calls() == ["letters/one"] * 2


def test_a_withdrawn_title_has_no_value_and_is_written_once(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    before = calls()
    rows = [here.compute("letters", "one") for _ in range(2)]
    assert rows[0] == rows[1] and (rows[0].event, rows[0].current) == ("withdrawn", None)
    assert calls() == before
    assert here.stale() == [("counts", "one")]


def test_a_value_that_fails_a_blocking_check_is_kept_but_not_current(here: Installation) -> None:
    here.deliver(one="aqa")
    here.settle()
    head = here.store.ledger.head("counts", "one")
    assert head is not None and head.value is not None and head.current is None
    assert head.reason == "q is not allowed"
    with pytest.raises(
        NotStored, match=r"counts has no value for one: it is held back by a check \(q is not allowed\)"
    ):
        here.store.view("counts", "one")
    here.deliver(one="aba")
    here.settle()
    here.deliver(one="aqa")
    here.settle()
    assert here.totals() == {"one": 3}
    assert calls().count("counts/one") == 2


def test_held_back_again_comes_to_rest(here: Installation) -> None:
    here.deliver(one="abba")
    bad, good = over_check("2", "always"), over_check("3", None)
    for feature in (over_check("1", None), bad, good, bad):
        here.mesh = Mesh([letters, feature, total], sources=["source"])
        here.settle()
        assert here.stale() == []
    assert calls().count("counts/one") == 3
    assert here.store.view("counts", "one").commit.version == "2"


def over_check(version: str, reason: str | None) -> AmberFeature:
    """`counts` whose check fails with a reason, or passes."""
    feature = counts_version(version, version)
    return replace(feature, checks=(replace(feature.checks[0], failure=lambda rows: reason),))


def test_an_older_run_never_becomes_current_over_a_newer(here: Installation) -> None:
    here.deliver(one="abba")
    here.compute("letters", "one")
    slow = evaluate(here.store, ask(here, "counts", "one"))
    here.deliver(one="xyz")
    here.settle()
    row = commit(here.store, slow)
    assert row.value != row.current == here.store.view("counts", "one").value
    assert row.generation == 2
    assert here.stale() == [] and here.totals() == {"one": 3}


def test_a_title_withdrawn_while_it_is_computed_stays_without_a_value(here: Installation) -> None:
    here.deliver(one="abba")
    slow = evaluate(here.store, ask(here, "letters", "one"))
    (here.landing / "one.mp4").unlink()
    here.land()
    assert here.compute("letters", "one").event == "withdrawn"
    row = commit(here.store, slow)
    # it was computed, and may be recalled when the file comes back
    assert (row.event, row.current, row.generation) == ("computed", None, 2)
    assert here.stale() == []
    here.deliver(one="abba")
    here.settle()
    assert here.totals() == {"one": 4}


def test_a_title_withdrawn_while_it_is_computed_by_the_first_run_of_all(here: Installation) -> None:
    here.deliver(one="abba")
    slow = evaluate(here.store, ask(here, "letters", "one"))
    (here.landing / "one.mp4").unlink()
    here.land()
    # nobody has looked at the withdrawal yet, so nothing says that this is late
    assert commit(here.store, slow).current is not None
    assert here.stale() == [("letters", "one")]
    here.settle()
    assert here.store.view("letters", "one").withdrawn and here.stale() == []


def test_equal_rows_of_other_inputs_are_joined_with_those_inputs(here: Installation) -> None:
    def kinds(letters: Letters) -> pa.Table:
        return pa.table({"n": [len(set(letters.text))]}, schema=N)

    def joined(letters: Letters, kinds: Shares) -> pa.Table:
        called("joined", letters.text)
        return pa.table({"n": [10 * len(letters.text) + kinds.n]}, schema=N)

    with_features(here, over_letters(kinds), over_letters(joined))
    found = []
    for text in ("aabb", "xy", "aabb", "xy"):
        here.deliver(one=text)
        here.settle()
        found.append(here.store.view("joined", "one").row()["n"])
    # the third time the letters and both answers are known; but `kinds` must again be that of these letters
    assert found == [42, 22, 42, 22]
    assert [call for call in calls() if "joined" in call] == ["joined/aabb", "joined/xy"]
    assert here.stale() == []


@pytest.mark.parametrize("first_is_good", [True, False])
def test_of_rows_that_differ_between_processes_the_first_stay_with_their_checks(
    here: Installation, caplog: pytest.LogCaptureFixture, first_is_good: bool
) -> None:
    numbers = [1, 2] if first_is_good else [2, 1]

    def size(letters: Letters) -> pa.Table:
        return pa.table({"n": [numbers.pop(0)]}, schema=N)

    def too_big(rows: pa.Table) -> str | None:
        return "too big" if rows.column("n")[0].as_py() > 1 else None

    with_features(here, over_letters(size, checks=[Check("small", too_big, "")]))
    here.deliver(one="abba")
    here.compute("letters", "one")
    wanted = ask(here, "size", "one")
    first, second = evaluate(here.store, wanted), evaluated_beside(here, wanted)
    assert commit(here.store, first).event == "computed"
    row = commit(here.store, second)
    assert here.store.ledger.chain("size", "one") == [row]
    assert row.value is not None and row.value.digest == first.digest != second.digest
    assert (row.current == row.value) == first_is_good
    assert row.reason == ("" if first_is_good else "too big")
    assert here.stale() == []
    assert "size of one gave other rows in two processes" in caplog.text


def evaluated_beside(here: Installation, wanted: Ask) -> Outcome:
    """What a process computes that does not see the claim of another one."""
    claim = Store.claim
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "claim", lambda self, feature, key: claim(self, feature, f"{key} elsewhere"))
        return evaluate(here.store, wanted)


def test_titles_that_lost_their_value_keep_their_generation(here: Installation) -> None:
    # over all titles the generation is a sum: it must not fall, or newer answers would not become current
    with_features(here, catalogue_over_letters())
    here.deliver(one="abba", two="xyz")
    here.settle()
    (here.landing / "one.mp4").unlink()
    here.land()
    here.settle()
    here.deliver(one="a!")
    with pytest.raises(MediaRefused):
        here.compute("letters", "one")
    here.deliver(two="x")
    here.settle()
    assert here.totals() == {"two": 1}


def catalogue_over_letters() -> AmberFeature:
    def total(letters: Mapping[str, Letters]) -> pa.Table:
        return pa.table({"title": list(letters), "n": [len(one.text) for one in letters.values()]})

    schema = pa.schema([("title", pa.string()), ("n", pa.int64())])
    return amber_feature(version="1", schema=schema, scope=type(letters.scope).CATALOGUE)(total)


@dataclass(frozen=True)
class Original:
    """Reads `letters`, and finds the file that they came from."""

    path: str
    columns: ClassVar[tuple[str, ...]] = ("letter",)

    @classmethod
    def from_value(cls, view: Any) -> Self:
        return cls(view.origin("source").row()["path"])


def test_a_source_that_moved_stops_the_run_without_a_trace(here: Installation) -> None:
    def size(letters: Original) -> pa.Table:
        return pa.table({"n": [len(letters.path)]}, schema=N)

    with_features(here, over_letters(size))
    here.deliver(one="abba")
    here.compute("letters", "one")
    here.deliver(one="xyz")
    with pytest.raises(InputMoved, match="source of one changed after letters was made; run letters again"):
        here.compute("size", "one")
    assert here.store.ledger.head("size", "one") is None
    here.compute("letters", "one")
    assert here.compute("size", "one").event == "computed"


def test_files_are_stored_by_content_and_the_scratch_folder_goes(here: Installation) -> None:
    folders: list[Path] = []

    def clip(letters: Letters, scratch: Path) -> pa.Table:
        folders.append(scratch)
        assert list(scratch.iterdir()) == []
        (scratch / "a.mp4").write_text(letters.text)
        return pa.table({"video": [str(scratch / "a.mp4"), None]}, schema=schema)

    schema = pa.schema([blob("video")])
    with_features(here, over_letters(clip, schema=schema))
    here.deliver(one="abba")
    here.compute("letters", "one")
    here.compute("clip", "one")
    name = hashlib.sha256(b"aabb").hexdigest() + ".mp4"
    assert here.store.view("clip", "one").table().column("video").to_pylist() == [name, None]
    assert here.store.objects.blob(name).read_text() == "aabb"
    assert not folders[0].exists()


def test_the_scratch_folder_of_a_killed_computation_is_emptied_by_the_next(here: Installation) -> None:
    def clip(letters: Letters, scratch: Path) -> pa.Table:
        folders.append(scratch)
        assert list(scratch.iterdir()) == []
        if len(folders) == 1:
            raise KeyboardInterrupt
        return pa.table({"n": [1]}, schema=N)

    folders: list[Path] = []
    with_features(here, over_letters(clip))
    here.deliver(one="abba")
    here.compute("letters", "one")
    with pytest.raises(KeyboardInterrupt):
        here.compute("clip", "one")
    # what a killed process would have left
    folders[0].mkdir()
    (folders[0] / "half.mp4").write_bytes(b"half")
    assert here.compute("clip", "one").event == "computed"
    assert folders[0] == folders[1] and here.store.objects.root in folders[0].parents
    assert not folders[0].exists()


def test_a_commit_says_who_when_and_from_what(here: Installation) -> None:
    began = datetime.now(UTC)
    here.deliver(one="abba")
    here.settle()
    source, read, made = (here.store.view(name, "one").commit for name in ("source", "letters", "counts"))
    assert source.current is not None and read.current is not None
    assert read.inputs == {"source": source.current.digest}
    assert made.inputs == {"letters": read.current.digest}
    assert began <= datetime.fromisoformat(made.made_at) <= datetime.now(UTC)
    assert (made.run, made.version, made.generation, len(made.code)) == (f"pid-{os.getpid()}", "1", 1, 32)
    assert made.who and here.store.environment(made.environment)["pyarrow"] == pa.__version__
    assert (
        made.metrics.keys() == {"seconds", "cpu_seconds", "memory_bytes", "rows", "n.min", "n.max"}
        and made.metrics["rows"] == 2
    )


def test_time_travel_over_the_mesh(here: Installation) -> None:
    here.deliver(one="abba")
    here.settle()
    then = here.store.view("total", CATALOGUE).commit
    here.deliver(one="xyz", two="x")
    here.settle()
    assert here.totals() == {"one": 3, "two": 1}
    for moment in (then, datetime.fromisoformat(then.made_at)):
        assert here.store.view("total", CATALOGUE, moment).row() == {"title": "one", "n": 4}
        assert here.store.view("letters", "one", moment).table().column("letter").to_pylist() == list("aabb")
        assert list(here.store.views("counts", ["one", "two"], moment)) == ["one"]


def test_an_abandoned_outcome_lets_the_next_one_compute(here: Installation) -> None:
    here.deliver(one="abba")
    outcome = evaluate(here.store, ask(here, "letters", "one"))
    assert here.store.is_claimed("letters", outcome.ask.key)
    outcome.abandon()
    assert here.compute("letters", "one").event == "computed"
    assert calls() == ["letters/one"] * 2


def test_an_outcome_is_known_by_its_rows(here: Installation) -> None:
    here.deliver(one="abba")
    outcome: Outcome = evaluate(here.store, ask(here, "letters", "one"))
    row = commit(here.store, outcome)
    assert row.current is not None and outcome.digest == row.current.digest
    assert evaluate(here.store, ask(here, "letters", "one")).digest == outcome.digest


def test_processes_that_ask_for_the_same_compute_it_once(here: Installation) -> None:
    here.deliver(one="abba", two="xyz", three="q", four="aaa")
    before = """
import pathlib, sys, time
from mediaml_assets_tests.amber import toy
from mediaml_assets.amber.store import open_store
called = toy.called
toy.called = lambda *args: (called(*args), time.sleep(0.05))
"""
    script = """
store = open_store(sys.argv[2], pathlib.Path(sys.argv[3]))
titles = store.ledger.scopes("source")
mesh = toy.toy_mesh()
for title in titles:
    for name in ("letters", "counts"):
        mesh.compute(store, name, [title])
mesh.compute(store, "total", titles)
"""
    together(4, before, script, here.store.objects.where, here.store.local)
    assert sorted(calls()) == sorted(set(calls()))
    assert len(calls()) == 9
    assert here.stale() == [] and here.ends() == []
    assert here.totals() == {"four": 3, "one": 4, "two": 3}


def test_large_rows_are_described_as_small_ones_are() -> None:
    rows = pa.table({"n": range(100_000), "text": [str(n) for n in range(100_000)]})
    assert rows.get_total_buffer_size() > evaluation.LARGE
    encoded, columns, seen = evaluation._described(rows)
    assert bytes(encoded) == bytes(encode(rows)) and columns == column_digests(rows) and seen == profile(rows)
