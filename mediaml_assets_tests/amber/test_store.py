"""What is stored is read as it was, now and as of any moment, and damage says so."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from blake3 import blake3

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.memo import Memo
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.objects.trash import take_away
from mediaml_assets.amber.store import Store, encode
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, InputMoved, NotStored
from mediaml_assets_tests.amber.processes import files_below

ROWS = pa.table(
    {"index": pa.array([0, 2], pa.int32()), "name": ["a", None], "score": pa.array([0.5, 1.5], pa.float32())}
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def write(store: Store, rows: pa.Table, feature: str = "motion", key: str = "key") -> Value:
    return store.write_rows(feature, rows, key, column_digests(rows))


def numbers(*values: int) -> pa.Table:
    return pa.table({"n": pa.array(values, pa.int64())})


def append(store: Store, value: Value | None, event: Event = "computed", scope: str = "one", **more: object) -> Commit:
    head = store.ledger.head("motion", scope)
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    row = replace(Commit("motion", scope, event, value, value, "key", 1, now), **more)  # type: ignore[arg-type]
    written = store.ledger.append(row, head)
    assert written is not None
    return written


def test_rows_are_read_as_they_were_written(store: Store) -> None:
    value = write(store, ROWS)
    assert store.read_rows("motion", value).equals(ROWS)
    assert store.read_rows("motion", value, ["score", "index"]).equals(ROWS.select(["score", "index"]))
    assert (value.rows, value.key, list(value.columns)) == (2, "key", ["index", "name", "score"])


def test_an_empty_value_is_a_value(store: Store) -> None:
    empty = ROWS.slice(0, 0)
    assert store.read_rows("motion", write(store, empty)).equals(empty)


def test_a_value_is_known_by_its_rows_and_written_once(store: Store) -> None:
    value = write(store, ROWS)
    file = store.objects.path(f"values/motion/{value.digest[:2]}/{value.digest}.parquet")
    stamp = file.stat().st_mtime_ns
    again = write(store, pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1)]), key="other")
    assert again == replace(value, key="other")
    assert file.stat().st_mtime_ns == stamp
    assert files_below(store.objects.root) == [file.relative_to(store.objects.root).as_posix()]


def test_a_value_carries_digest_and_size_of_its_file(store: Store) -> None:
    value = write(store, ROWS)
    stored = store.objects.read(f"values/motion/{value.digest[:2]}/{value.digest}.parquet")
    assert (value.bytes, value.blake3) == (len(stored), blake3(stored).hexdigest())


def test_equal_rows_stored_by_another_writer_keep_the_stored_files_digest(store: Store) -> None:
    digest = write(store, ROWS).digest
    file = store.objects.path(f"values/motion/{digest[:2]}/{digest}.parquet")
    file.unlink()
    pq.write_table(ROWS, file, compression="snappy")
    value = write(store, ROWS)
    assert (value.bytes, value.blake3) == (file.stat().st_size, blake3(file.read_bytes()).hexdigest())


def test_a_damaged_file_is_never_taken_for_the_same_rows(store: Store) -> None:
    file = value_file(store, write(store, ROWS))
    for damage in (b"", file.read_bytes()[:-1], bytes(encode(numbers(1)))):
        file.write_bytes(damage)
        with pytest.raises(Damaged, match=f"{file.name} is not what its name says; run `mediaml repair motion`"):
            write(store, ROWS)


def test_garbage_that_is_taken_away_while_it_is_compared_is_written_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = write(store, ROWS)
    read = FolderObjects.read

    def taken_away(self: FolderObjects, name: str) -> bytes:
        monkeypatch.undo()
        assert take_away(self, [name], lambda names: []) == [name]
        return read(self, name)

    monkeypatch.setattr(FolderObjects, "read", taken_away)
    assert write(store, ROWS) == value
    assert store.read_rows("motion", value).equals(ROWS)


def test_dictionaries_only_on_texts() -> None:
    group = pq.ParquetFile(pa.BufferReader(encode(ROWS))).metadata.row_group(0)
    used = {group.column(n).path_in_schema: "RLE_DICTIONARY" in group.column(n).encodings for n in range(3)}
    assert used == {"index": False, "name": True, "score": False}
    assert group.column(0).compression == "ZSTD"


def test_a_memo_is_recalled_and_the_first_one_stays(store: Store) -> None:
    assert store.recall("motion", "key") is None
    first = Memo(write(store, ROWS), {"check": "too dark"}, "code")
    other = Memo(write(store, numbers(1)), {}, "other code")
    assert store.remember("motion", "key", first, {"why": "material"}) == first
    assert store.remember("motion", "key", other, {}) == first
    assert store.recall("motion", "key") == first
    assert store.recall("shots", "key") is None


@pytest.mark.parametrize(
    "one,other", [(b'"code":"code"', b'"code":"node"'), (b"too dark", b"too dank"), (b'"why"', b'"who"')]
)
def test_a_memo_of_other_content_is_never_believed(store: Store, one: bytes, other: bytes) -> None:
    store.remember("motion", "key", Memo(write(store, ROWS), {"check": "too dark"}, "code"), {"why": 1})
    file = store.objects.path("memo/motion/key.json")
    file.write_bytes(file.read_bytes().replace(one, other))
    with pytest.raises(Damaged, match=r"no memo of motion \(its content is not what its digest says\)"):
        store.recall("motion", "key")


def test_a_memo_does_not_repeat_its_name_and_its_material(store: Store) -> None:
    inputs = {"shots": {"index": "d" * 64}}
    memo = Memo(replace(write(store, ROWS), reads=inputs), {}, "code")
    store.remember("motion", "key", memo, {"inputs": inputs})
    store.remember("motion", "other", replace(memo, value=replace(memo.value, key="other")), {"inputs": {}})
    document = json.loads(store.objects.read("memo/motion/key.json"))
    assert set(document) == {"code", "digest", "material", "value"}
    assert set(document["value"]) == {"blake3", "bytes", "columns", "digest", "rows", "schema"}
    assert store.recall("motion", "key") == memo
    other = store.recall("motion", "other")
    assert other is not None and (other.value.key, other.value.reads) == ("other", inputs)


def test_an_environment_is_kept_once(store: Store) -> None:
    versions = {"python": "3.11.7", "numpy": "2.4.6"}
    digest = store.add_environment(versions)
    assert store.add_environment(dict(reversed(versions.items()))) == digest
    assert store.environment(digest) == versions
    assert store.objects.names("environments") == [f"{digest}.json"]
    store.objects.path(f"environments/{digest}.json").write_text('{"numpy":"2.4.7","python":"3.11.7"}')
    with pytest.raises(Damaged, match="is not what its name says"):
        store.environment(digest)


def test_values_of_one_schema_say_so(store: Store) -> None:
    of_one = {write(store, numbers(n)).schema for n in range(3)}
    assert len(of_one) == 1
    other = [pa.table({"n": pa.array([1], pa.int32())}), pa.table({"m": [1]}), pa.table({"n": [1], "m": [1]}), ROWS]
    assert len({write(store, rows).schema for rows in other} | of_one) == 5


def test_nothing_is_current_before_the_first_commit(store: Store) -> None:
    write(store, ROWS)
    with pytest.raises(NotStored, match="motion has no value for one yet; materialise it first"):
        store.view("motion", "one")
    assert store.views("motion", ["one", "two"]) == {}


def test_a_view_reads_the_current_value(store: Store) -> None:
    append(store, write(store, numbers(1)))
    append(store, write(store, ROWS))
    view = store.view("motion", "one")
    assert view.table().equals(ROWS)
    assert view.table(["name"]).column_names == ["name"]
    assert (view.title, view.generation, view.withdrawn) == ("one", 1, False)


def test_a_row_is_asked_of_one_row_values_only(store: Store) -> None:
    append(store, write(store, numbers(7)))
    assert store.view("motion", "one").row() == {"n": 7}
    append(store, write(store, ROWS))
    with pytest.raises(Damaged, match="motion of one has 2 rows"):
        store.view("motion", "one").row()


def test_a_withdrawn_title_has_a_view_without_a_value(store: Store) -> None:
    append(store, write(store, ROWS))
    append(store, None, "withdrawn", key="")
    view = store.view("motion", "one")
    assert view.withdrawn
    with pytest.raises(NotStored, match="motion has no value for one: its last commit is withdrawn"):
        view.table()


@pytest.mark.parametrize(("event", "text"), [("refused", "was refused"), ("computed", "is held back")])
def test_a_title_without_a_good_value_says_why(store: Store, event: Event, text: str) -> None:
    value = None if event == "refused" else write(store, ROWS)
    append(store, value, event, current=None, reason="the file holds no picture")
    with pytest.raises(NotStored, match=rf"{text}.*the file holds no picture"):
        store.view("motion", "one")
    assert store.views("motion", ["one"])["one"].withdrawn


def test_time_travel(store: Store) -> None:
    commits = [append(store, write(store, numbers(n))) for n in range(4)] + [append(store, None, "withdrawn", key="")]
    for n, commit in enumerate(commits[:4]):
        for moment in (commit, datetime.fromisoformat(commit.made_at)):
            assert store.view("motion", "one", moment).row() == {"n": n}
            assert store.views("motion", ["one", "two"], moment)["one"].row() == {"n": n}
    assert store.view("motion", "one", commits[4]).withdrawn
    with pytest.raises(NotStored, match="no value for one yet"):
        store.view("motion", "one", datetime(2001, 1, 1, tzinfo=UTC))
    assert store.views("motion", ["one"], datetime(2001, 1, 1, tzinfo=UTC)) == {}


def test_all_commits_of_a_feature(store: Store) -> None:
    for scope in ("two", "one", "two"):
        append(store, write(store, ROWS), scope=scope)
    assert [(one.scope, one.seq) for one in store.commits("motion")] == [("one", 0), ("two", 0), ("two", 1)]


def value_file(store: Store, value: Value) -> Path:
    return store.objects.path(f"values/motion/{value.digest[:2]}/{value.digest}.parquet")


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "zeros"])
def test_a_damaged_value_names_the_file_and_the_way_out(store: Store, damage: str) -> None:
    value = write(store, pa.table({"n": list(range(5000))}))
    file = value_file(store, value)
    whole = file.read_bytes()
    file.unlink()
    if damage != "gone":
        file.write_bytes(
            {"empty": b"", "cut": whole[:-20], "zeros": whole[:4] + bytes(len(whole) - 8) + whole[-4:]}[damage]
        )
    with pytest.raises(Damaged) as raised:
        store.read_rows("motion", value)
    assert str(file) in str(raised.value)
    assert "run `mediaml repair motion`" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"value": null}', '{"value": {"digest": "d"}}'])
def test_a_damaged_memo_names_the_file_and_the_way_out(store: Store, text: str) -> None:
    store.objects.create("memo/motion/key.json", text.encode())
    with pytest.raises(Damaged, match=r"memo/motion/key.json is no memo .*run `mediaml repair motion`"):
        store.recall("motion", "key")


def blob_view(store: Store, folder: Path) -> View:
    (folder / "a.mp4").write_bytes(b"film")
    append(store, write(store, pa.table({"video": [store.objects.add_file(folder / "a.mp4")]})))
    return store.view("motion", "one")


def test_a_blob_is_found_through_its_view(store: Store, tmp_path: Path) -> None:
    path = blob_view(store, tmp_path).blob("video")
    assert path.read_bytes() == b"film" and path.suffix == ".mp4"


def test_a_lost_blob_says_what_to_make_again(store: Store, tmp_path: Path) -> None:
    view = blob_view(store, tmp_path)
    view.blob("video").unlink()
    with pytest.raises(Damaged, match="the video of motion of one, is gone; run `mediaml repair motion`"):
        view.blob("video")


def origin(store: Store, read: Sequence[int], now: Sequence[int] | None) -> View:
    """A value of `motion` made from `source` = read, while `source` is `now` (None: withdrawn)."""
    before = write(store, numbers(*read), "source")
    append(store, replace(write(store, ROWS), reads={"source": before.columns}))
    current = None if now is None else write(store, numbers(*now), "source")
    store.ledger.append(Commit("source", "one", "withdrawn", current, current, "", 2), None)
    return store.view("motion", "one").origin("source")


def test_the_origin_is_what_the_value_was_made_from(store: Store) -> None:
    assert origin(store, [1], [1]).row() == {"n": 1}


@pytest.mark.parametrize("now", [[2], None])
def test_an_origin_that_moved_is_an_error(store: Store, now: list[int] | None) -> None:
    with pytest.raises(InputMoved, match="source of one changed after motion was made; run motion again"):
        origin(store, [1], now)
