"""What each kind of replica promises beyond the common suite: how it is read, how it grows, what it refuses."""

import os
import shutil
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from mediaml_assets.amber.orchestration.replica_assets import _question
from mediaml_assets.amber.replicas import KINDS, Replica, is_behind
from mediaml_assets.amber.replicas.file_replica import FileReplica
from mediaml_assets.amber.replicas.generations import TIER, TIERS, Generations
from mediaml_assets.amber.replicas.parity import parity
from mediaml_assets.amber.replicas.replication import replicate
from mediaml_assets.amber.replicas.shards import Shards
from mediaml_assets.amber.replicas.vectors import VectorMatrix
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import FeatureError, NotStored, SettingsError
from mediaml_assets_tests.amber.replicas.sinks import FEATURE, SCHEMA, put, rows, state, withdraw

LAKE = ("delta", "iceberg")
PLAIN = pa.schema([pa.field("index", pa.int32(), nullable=False), ("vector", pa.list_(pa.float32(), 4))])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def replica(tmp_path: Path, kind: str, schema: pa.Schema = SCHEMA) -> Replica:
    return Replica(FEATURE, kind, schema, tmp_path / "replicas")


def plain(seed: int, count: int) -> pa.Table:
    """Vectors that say which title and row they are of."""
    numbers = np.full((count, 4), seed, np.float32)
    numbers[:, 1] = np.arange(count)
    vectors = pa.FixedSizeListArray.from_arrays(numbers.reshape(-1), 4)
    return pa.table([pa.array(range(count), pa.int32()), vectors], schema=PLAIN)


def data_files(folder: Path) -> list[Path]:
    endings = (".parquet", ".npy")
    return sorted(file for file in folder.rglob("*") if file.suffix in endings and "metadata" not in file.parts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found_by_reading_back_and_repaired(tmp_path: Path, store: Store, kind: str) -> None:
    for title in "abc":
        put(store, title, rows(title, 50))
    sink = replica(tmp_path, kind).open()
    replicate(store, FEATURE, sink)
    for file in data_files(tmp_path / "replicas"):
        data = bytearray(file.read_bytes())
        # in the numbers or pages, well before the footer
        data[len(data) // 3] ^= 4
        file.write_bytes(data)
    found = parity(store, FEATURE, sink, sample=None)
    assert found.damaged and set(found.damaged) <= set("abc") and found.read_back == 3
    assert found.behind == ()
    replicate(store, FEATURE, sink, again=list(found.damaged))
    healed = parity(store, FEATURE, sink, sample=None)
    assert (healed.damaged, healed.behind) == ({}, ())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["removed", "cut short"])
def test_a_lost_file_is_noticed_without_reading_back(tmp_path: Path, store: Store, kind: str, how: str) -> None:
    for title in "abc":
        put(store, title, rows(title, 50))
    replicate(store, FEATURE, replica(tmp_path, kind).open())
    file = data_files(tmp_path / "replicas")[0]
    if how == "removed":
        file.unlink()
    else:
        os.truncate(file, file.stat().st_size // 2)
    sink = replica(tmp_path, kind).open()
    found = parity(store, FEATURE, sink)
    assert found.behind == ("a", "b", "c") and found.lag_seconds > 0
    assert sorted(replicate(store, FEATURE, sink).put) == ["a", "b", "c"]
    assert parity(store, FEATURE, sink, sample=None).damaged == {}


@pytest.mark.parametrize("kind", LAKE)
def test_rows_that_another_engine_added_or_took_are_counted(tmp_path: Path, store: Store, kind: str) -> None:
    for title in "ab":
        put(store, title, rows(title, 5))
    sink = replica(tmp_path, kind).open()
    replicate(store, FEATURE, sink)
    if kind == "delta":
        from deltalake import DeltaTable

        DeltaTable(tmp_path / "replicas" / FEATURE / "delta").delete("title = 'a' AND row = 4")
    else:
        iceberg_table(tmp_path).delete("title = 'a' and row = 4")
    found = parity(store, FEATURE, replica(tmp_path, kind).open())
    assert found.miscounted == {"a": "4 rows where the value has 5"}
    assert replicate(store, FEATURE, replica(tmp_path, kind).open()).put == ["a"]
    assert parity(store, FEATURE, sink, sample=None).miscounted == {}


def test_a_damaged_ledger_row_leaves_its_title_as_it_is_and_the_others_go_on(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for title in "abc":
        put(store, title, rows(title, 5))
    one = replica(tmp_path, "shards")
    replicate(store, FEATURE, one.open())
    for file in store.objects.path(f"ledger/{FEATURE}/b").rglob("*.json"):
        whole = file.read_bytes()
        file.write_bytes(whole.replace(b"e", b"f", 1))
    put(store, "c", rows("other", 6))
    copied = replicate(store, FEATURE, one.open())
    assert (copied.put, copied.drop) == (["c"], [])
    found = parity(store, FEATURE, one.open(), sample=None)
    assert (found.titles, found.behind, found.left_out) == (3, ("b",), ("b",))
    assert not is_behind(store, one)
    assert _question(store, one, ["a", "b", "c"], 0) == ""
    assert any("looks of b is left alone: " in said.getMessage() for said in caplog.records)
    file.write_bytes(whole)
    assert parity(store, FEATURE, one.open(), sample=None).behind == ()


def test_a_title_that_the_store_knows_nothing_of_is_behind(tmp_path: Path, store: Store) -> None:
    put(store, "a", rows("a", 5))
    put(store, "b", rows("b", 5))
    sink = replica(tmp_path, "shards").open()
    replicate(store, FEATURE, sink)
    shutil.rmtree(store.objects.path(f"ledger/{FEATURE}/b"))
    older = Store(tmp_path / "store")
    found = parity(older, FEATURE, sink)
    assert (found.behind, found.lag_seconds) == (("b",), 0.0)
    assert replicate(older, FEATURE, sink).drop == ["b"]


def test_lag_counts_from_the_oldest_change_that_is_missing(tmp_path: Path, store: Store) -> None:
    put(store, "a", rows("a", 1))
    put(store, "b", rows("b", 1))
    sink = replica(tmp_path, "shards").open()
    replicate(store, FEATURE, sink)
    time.sleep(0.2)
    put(store, "a", rows("a2", 1))
    time.sleep(0.2)
    withdraw(store, "b")
    found = parity(store, FEATURE, sink)
    assert found.behind == ("a", "b") and 0.2 <= found.lag_seconds < 60
    # a row of the ledger that leaves the value as it was does not make it younger
    time.sleep(0.1)
    put(store, "a", rows("a2", 1))
    assert parity(store, FEATURE, sink).lag_seconds >= 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_another_schema_wait_and_a_new_schema_begins_anew(tmp_path: Path, store: Store, kind: str) -> None:
    put(store, "old", rows("old", 3))
    put(store, "a", rows("a", 3))
    replicate(store, FEATURE, replica(tmp_path, kind).open())
    wider = SCHEMA.append(pa.field("more", pa.int16()))
    sink = replica(tmp_path, kind, wider).open()
    assert parity(store, FEATURE, sink).left_out == ("a", "old")
    replicate(store, FEATURE, sink)
    assert sink.held() == {}
    put(store, "a", rows("a", 3).append_column(wider.field("more"), pa.array([1, None, 3], pa.int16())))
    assert replicate(store, FEATURE, sink).put == ["a"]
    found = parity(store, FEATURE, sink, sample=None)
    assert (found.left_out, found.behind, found.damaged) == (("old",), ("old",), {})
    assert replicate(store, FEATURE, sink).bytes == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_description_that_changes_copies_nothing_again(tmp_path: Path, store: Store, kind: str) -> None:
    put(store, "a", rows("a", 3))
    replicate(store, FEATURE, Replica(FEATURE, kind, SCHEMA, tmp_path).open())
    described = pa.schema([one.with_metadata({"about": f"The {one.name}."}) for one in SCHEMA])
    sink = Replica(FEATURE, kind, described, tmp_path).open()
    assert replicate(store, FEATURE, sink).bytes == 0
    put(store, "b", rows("b", 2))
    assert replicate(store, FEATURE, sink).put == ["b"]
    assert parity(store, FEATURE, sink, sample=None).damaged == {}
    if kind == "shards":
        assert Shards.open(tmp_path / FEATURE / kind).table(["title"]).num_rows == 5


@pytest.mark.parametrize("kind", KINDS)
def test_wide_tables(tmp_path: Path, store: Store, kind: str) -> None:
    schema = pa.schema([*PLAIN, *((f"n{number}", pa.float64()) for number in range(400))])
    table = plain(1, 30)
    for number in range(400):
        table = table.append_column(schema.field(f"n{number}"), pa.array([float(number)] * 30))
    for title in "ab":
        put(store, title, table)
    sink = replica(tmp_path, kind, schema).open()
    replicate(store, FEATURE, sink)
    found = parity(store, FEATURE, sink, sample=None)
    assert (found.rows, found.damaged) == (60, {})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_gone_is_gone_from_the_disk_when_asked(tmp_path: Path, store: Store, kind: str) -> None:
    schema = pa.schema([*PLAIN, ("text", pa.string())])

    def told(text: str) -> pa.Table:
        return plain(1, 2).append_column(schema.field("text"), pa.array([text, text]))

    put(store, "a", told("harmless"))
    put(store, "b", told("embarrassing"))
    sink = replica(tmp_path, kind, schema).open()
    replicate(store, FEATURE, sink)
    withdraw(store, "b")
    replicate(store, FEATURE, sink, keep_seconds=0)
    files = data_files(tmp_path / "replicas")
    texts = {text for file in files if file.suffix == ".parquet" for text in pq_texts(file)}
    assert texts == {"harmless"}


def pq_texts(file: Path) -> list[str]:
    return [row[0] for row in duckdb.sql(f"SELECT text FROM read_parquet('{file}')").fetchall()]


# shards


def small(tmp_path: Path, kind: str, part_bytes: int, schema: pa.Schema = PLAIN) -> FileReplica:
    sink = replica(tmp_path, kind, schema).open()
    assert isinstance(sink, FileReplica)
    sink.part_bytes = part_bytes
    return sink


def test_shards_are_few_and_sorted_and_any_engine_reads_them(tmp_path: Path, store: Store) -> None:
    for number, title in enumerate(("d", "b", "a", "c")):
        put(store, title, rows(title, number))
    replicate(store, FEATURE, replica(tmp_path, "shards").open())
    shards = Shards.open(tmp_path / "replicas" / FEATURE / "shards")
    assert shards.titles == ["a", "b", "c", "d"] and len(shards.files) == 1
    found = duckdb.sql(f"SELECT title, text FROM read_parquet({[str(file) for file in shards.files]})").fetchall()
    wanted = state(store)
    assert found == [(title, text) for title in "abc" for text in wanted[title].column("text").to_pylist()]
    assert shards.table(["text"], titles=["b"]).column("text").to_pylist() == wanted["b"].column("text").to_pylist()
    assert shards.table().num_rows == 6


def test_a_reader_sees_one_whole_state_while_another_is_written(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "replicas" / FEATURE
    for title in "ab":
        put(store, title, plain(1, 3))
    for kind in ("shards", "vectors"):
        replicate(store, FEATURE, replica(tmp_path, kind, PLAIN).open())
    shards, vectors = Shards.open(folder / "shards"), VectorMatrix.open(folder / "vectors")
    put(store, "a", plain(2, 9))
    withdraw(store, "b")
    for kind in ("shards", "vectors"):
        replicate(store, FEATURE, replica(tmp_path, kind, PLAIN).open())
    assert shards.table().num_rows == 6 and shards.titles == ["a", "b"]
    assert vectors.vectors("b").tolist() == [[1, row, 1, 1] for row in range(3)]
    assert Shards.open(folder / "shards").table().num_rows == 9
    # swept away at once, a mapped matrix is still whole
    for kind in ("shards", "vectors"):
        replicate(store, FEATURE, replica(tmp_path, kind, PLAIN).open(), keep_seconds=0)
    assert vectors.matrix.sum() == vectors.matrix.copy().sum() and VectorMatrix.open(folder / "vectors").titles == ["a"]
    assert vectors.index.column("title").to_pylist() == ["a"] * 3 + ["b"] * 3
    assert vectors.index.column("index").to_pylist() == [0, 1, 2] * 2


@pytest.mark.parametrize("kind", ["shards", "vectors"])
def test_titles_that_come_one_at_a_time_are_merged_and_copied_a_few_times(
    tmp_path: Path, store: Store, kind: str
) -> None:
    sink = small(tmp_path, kind, part_bytes=200_000)
    value = replicate_one(store, sink, "t000")
    written = value
    for number in range(1, 100):
        written += replicate_one(store, sink, f"t{number:03}")
    parts = data_files(tmp_path / "replicas")
    replicate(store, FEATURE, sink, keep_seconds=0)
    kept = data_files(tmp_path / "replicas")
    assert len(kept) < len(parts)
    assert len({file.name.split(".")[0] for file in kept}) <= TIER * TIERS
    # each title is written when it comes and again once a class, beside the manifests
    manifests = sum(file.stat().st_size for file in (tmp_path / "replicas").rglob("*.json"))
    assert written < value * 100 * (TIERS + 1) + 100 * manifests
    assert parity(store, FEATURE, sink, sample=None).damaged == {}


def replicate_one(store: Store, sink: FileReplica, title: str) -> int:
    put(store, title, plain(int(title[1:]), 50))
    return replicate(store, FEATURE, sink).bytes


@pytest.mark.parametrize("kind", ["shards", "vectors"])
def test_a_changed_title_writes_its_own_part_anew_and_no_other(tmp_path: Path, store: Store, kind: str) -> None:
    chance = np.random.default_rng(1)
    schema = pa.schema([("vector", pa.list_(pa.float32(), 256))])

    def noise() -> pa.Table:
        return pa.table([pa.FixedSizeListArray.from_arrays(chance.random(100 * 256, np.float32), 256)], schema=schema)

    for number in range(20):
        put(store, f"t{number:02}", noise())
    sink = small(tmp_path, kind, 500_000, schema)
    whole = replicate(store, FEATURE, sink).bytes
    assert len(sink._generations.newest().parts) >= 4
    put(store, "t07", noise())
    assert replicate(store, FEATURE, sink).bytes < whole / 3
    withdraw(store, "t11")
    assert replicate(store, FEATURE, sink).bytes < whole / 3


# vectors


def test_the_matrix_and_its_index(tmp_path: Path, store: Store) -> None:
    for seed, (title, count) in enumerate({"b": 3, "a": 2, "none": 0}.items()):
        put(store, title, plain(seed, count))
    replicate(store, FEATURE, replica(tmp_path, "vectors", PLAIN).open())
    vectors = VectorMatrix.open(tmp_path / "replicas" / FEATURE / "vectors")
    assert vectors.column == "vector" and vectors.titles == ["a", "b", "none"]
    assert isinstance(vectors.matrix, np.memmap) and vectors.matrix.dtype == np.float32
    assert vectors.matrix[:, :2].tolist() == [[1, 0], [1, 1], [0, 0], [0, 1], [0, 2]]
    assert vectors.rows == {"a": range(2), "b": range(2, 5), "none": range(0)}
    mine = vectors.vectors("b")
    assert mine.tolist() == vectors.matrix[2:5].tolist() and np.shares_memory(mine, vectors.matrix)
    assert vectors.vectors("none").shape == (0, 4)
    assert vectors.index.to_pydict() == {
        "title": ["a", "a", "b", "b", "b"],
        "row": [0, 1, 0, 1, 2],
        "index": [0, 1, 0, 1, 2],
        "vector": [True] * 5,
    }
    with pytest.raises(NotStored, match="nothing of c"):
        vectors.vectors("c")
    with pytest.raises(NotStored, match="no vector replica"):
        VectorMatrix.open(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_the_matrix_of_some_titles(tmp_path: Path, store: Store) -> None:
    sink = small(tmp_path, "vectors", part_bytes=1)
    for seed, title in enumerate("abcd"):
        put(store, title, plain(seed, seed))
    replicate(store, FEATURE, sink)
    vectors = VectorMatrix.open(sink.folder)
    matrix, index = vectors.of(["d", "a", "b"])
    assert matrix[:, :2].tolist() == [[3, 0], [3, 1], [3, 2], [1, 0]]
    assert list(zip(*(index.column(name).to_pylist() for name in ("title", "row")), strict=True)) == [
        ("d", 0),
        ("d", 1),
        ("d", 2),
        ("b", 0),
    ]
    alone, _ = vectors.of(["c"])
    assert np.shares_memory(alone, vectors.vectors("c"))
    empty, index = vectors.of(["a"])
    assert empty.shape == (0, 4) and index.num_rows == 0
    with pytest.raises(NotStored, match="nothing of e"):
        vectors.of(["a", "e"])
    everything, index = vectors.of(vectors.titles)
    assert everything.tolist() == vectors.matrix.tolist() and index.equals(vectors.index)


def test_a_reader_that_looks_between_two_sweeps_takes_the_newer_state(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a", plain(1, 2))
    sink = replica(tmp_path, "vectors", PLAIN).open()
    replicate(store, FEATURE, sink)
    old = Generations(Path(sink.where)).newest()
    put(store, "a", plain(2, 2))
    replicate(store, FEATURE, sink, keep_seconds=0)
    looks = [old, Generations(Path(sink.where)).newest()]
    monkeypatch.setattr(Generations, "newest", lambda self: looks.pop(0) if len(looks) > 1 else looks[0])
    assert VectorMatrix.open(sink.where).matrix[:, 0].tolist() == [2, 2]


def test_many_blocks_are_one_matrix(tmp_path: Path, store: Store) -> None:
    titles = [f"t{number}" for number in range(7)]
    sink = small(tmp_path, "vectors", part_bytes=1)
    for seed, title in enumerate(titles):
        put(store, title, plain(seed, seed + 1))
    replicate(store, FEATURE, sink)
    # merging leaves parts that are larger than this one alone
    vectors = VectorMatrix.open(sink.folder)
    assert len(vectors.blocks) == 7 and vectors.matrix.shape == (28, 4)
    for seed, title in enumerate(titles):
        assert vectors.vectors(title).tolist() == [[seed, row, seed, seed] for row in range(seed + 1)]
        assert vectors.matrix[list(vectors.rows[title])].tolist() == vectors.vectors(title).tolist()
    index = vectors.index
    assert [index.column("title")[row].as_py() for row in vectors.rows["t4"]] == ["t4"] * 5
    assert index.column("row").to_pylist() == vectors.matrix[:, 1].tolist()


def test_rows_without_a_vector_and_vectors_of_another_width(tmp_path: Path, store: Store) -> None:
    schema = pa.schema([("v", pa.list_(pa.float32())), ("w", pa.list_(pa.float64()))])
    put(store, "a", pa.table([[[1, 2], None, [3, 4]], [[5]] * 3], schema=schema))
    put(store, "b", pa.table([[[1, 2, 3]], [[6]]], schema=schema))
    put(store, "c", pa.table([[None, None], [None, None]], schema=schema))
    sink = replica(tmp_path, "vectors", schema).open()
    replicate(store, FEATURE, sink)
    assert parity(store, FEATURE, sink, sample=None).damaged == {}
    folder = tmp_path / "replicas" / FEATURE / "vectors"
    with pytest.raises(FeatureError, match="choose one of v, w"):
        VectorMatrix.open(folder)
    vectors = VectorMatrix.open(folder, "v")
    assert np.isnan(vectors.vectors("a")[1]).all() and vectors.vectors("a")[2].tolist() == [3, 4]
    with pytest.raises(FeatureError, match="0 and 2 and 3 numbers"):
        _ = vectors.matrix
    assert vectors.index.column("v").to_pylist() == [True, False, True, True, False, False]


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (pa.array([[1, 2], [3]], pa.list_(pa.float32())), "lists of 1 to 2 numbers"),
        (pa.array([[1, None], [3, 4]], pa.list_(pa.float32())), "vectors with missing numbers"),
    ],
)
def test_lists_that_are_no_vectors_are_refused(tmp_path: Path, store: Store, column: pa.Array, says: str) -> None:
    schema = pa.schema([("v", column.type)])
    put(store, "a", pa.table([column], schema=schema))
    with pytest.raises(FeatureError, match=says):
        replicate(store, FEATURE, replica(tmp_path, "vectors", schema).open())
    assert data_files(tmp_path / "replicas") == []


def test_what_cannot_be_kept_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    taken = pa.schema([("title", pa.string()), ("vector", pa.list_(pa.float32(), 4))])
    for kind in KINDS:
        with pytest.raises(FeatureError, match="a column named title"):
            replica(tmp_path, kind, taken).open()
    with pytest.raises(FeatureError, match="no column of vectors"):
        replica(tmp_path, "vectors", pa.schema([("n", pa.int64())])).open()
    for kind in LAKE:
        with pytest.raises(FeatureError, match=r"no type that keeps at \(timestamp\[ns\]\)"):
            replica(tmp_path, kind, pa.schema([("at", pa.timestamp("ns"))])).open()
    with pytest.raises(FeatureError, match="one of shards, vectors, delta, iceberg"):
        replica(tmp_path, "csv")
    assert not (tmp_path / "replicas").exists()


# delta and iceberg


def iceberg_table(tmp_path: Path) -> object:
    from pyiceberg.catalog.sql import SqlCatalog

    folder = tmp_path / "replicas" / FEATURE / "iceberg"
    catalog = SqlCatalog("mediaml", uri=f"sqlite:///{folder}/catalog.db", warehouse=folder.as_uri())
    return catalog.load_table(f"mediaml.{FEATURE}__iceberg")


def test_other_engines_read_the_delta_table(tmp_path: Path, store: Store) -> None:
    from deltalake import DeltaTable

    for title in "ab":
        put(store, title, rows(title, 4))
    replicate(store, FEATURE, replica(tmp_path, "delta").open())
    table = DeltaTable(tmp_path / "replicas" / FEATURE / "delta").to_pyarrow_dataset()
    check_lake(table.to_table(), store)


def test_other_engines_read_the_iceberg_table(tmp_path: Path, store: Store) -> None:
    for title in "ab":
        put(store, title, rows(title, 4))
    replicate(store, FEATURE, replica(tmp_path, "iceberg").open())
    table = iceberg_table(tmp_path)
    check_lake(table.scan().to_arrow(), store)  # type: ignore[attr-defined]


def check_lake(lake: pa.Table, store: Store) -> None:
    query = "SELECT title, row, text, serial, level, small[1] FROM lake ORDER BY title, row"
    found = duckdb.sql(query).fetchall()
    wanted = [
        (title, number, row["text"], row["serial"], row["level"], row["small"][0])
        for title, values in sorted(state(store).items())
        for number, row in enumerate(values.to_pylist())
    ]
    assert [(*row[:3], int(row[3]), *row[4:]) for row in found] == wanted
    assert set(lake.column("value_digest").to_pylist()) == {digest(store, title) for title in "ab"}


def digest(store: Store, title: str) -> str:
    head = store.ledger.head(FEATURE, title)
    assert head is not None and head.current is not None
    return head.current.digest


@pytest.mark.parametrize("kind", LAKE)
def test_small_files_become_one(tmp_path: Path, store: Store, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediaml_assets.amber.replicas.lake.SMALL_FILES", 4)
    sink = replica(tmp_path, kind, PLAIN).open()
    for number in range(9):
        put(store, f"t{number}", plain(number, 3))
        replicate(store, FEATURE, sink, keep_seconds=0)
    assert len(data_files(tmp_path / "replicas")) < 5
    assert parity(store, FEATURE, sink, sample=None).damaged == {}
    assert replicate(store, FEATURE, sink).bytes == 0


@pytest.mark.parametrize("kind", LAKE)
def test_without_the_extra_asking_says_how_to_install(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("deltalake", "pyiceberg.catalog.sql"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SettingsError, match=r"pip install 'mediaml-assets\[lake\]'"):
        replica(tmp_path, kind).open()
    for other in ("shards", "vectors"):
        replica(tmp_path, other).open()
