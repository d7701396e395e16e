"""What every place for objects keeps to: created whole, once, by one writer, and listed as it is."""

import io
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from mediaml_assets.amber.objects import Objects
from mediaml_assets.amber.store import open_store
from mediaml_assets.errors import NotStored
from mediaml_assets_tests.amber.processes import together

OPEN = """
import pathlib, sys
from mediaml_assets.amber.store import open_store
objects = open_store(sys.argv[2], pathlib.Path(sys.argv[3])).objects
"""
ODD = ["with space", "it's", "a[1]*?", "Füße", "50%20", "a+b", "x@y", "a&b=c;d,e", "~", ".hidden", "{x}", 'q"', "<>"]


def test_what_was_created_is_read_and_stays(objects: Objects) -> None:
    assert objects.create("memo/a/x.json", b"one")
    assert not objects.create("memo/a/x.json", b"two")
    assert not objects.create("memo/a/x.json", b"one")
    assert objects.read("memo/a/x.json") == b"one"


def test_what_was_never_created_is_not_stored(objects: Objects) -> None:
    for read in (
        lambda: objects.read("memo/a/x.json"),
        lambda: objects.read_range("memo/a/x.json", 0, 5),
        lambda: objects.read_range("memo/a/x.json", 0, 0),
        lambda: objects.open("memo/a/x.json").read(),
    ):
        with pytest.raises(NotStored, match=r"memo/a/x\.json"):
            read()
    assert objects.names("memo/a") == objects.folders("memo") == list(objects.walk("memo")) == []
    objects.remove("memo/a/x.json")


def test_names_and_folders_are_sorted_and_of_one_level(objects: Objects) -> None:
    for name in ("a/2.json", "a/1.json", "a/deep/3.json", "a/b@c/4.json", "ab/5.json", "a.json", "a/deeper/x/6.json"):
        objects.create(name, b"")
    assert objects.names("a") == ["1.json", "2.json"]
    assert objects.folders("a") == ["b@c", "deep", "deeper"]
    assert objects.names("ab") == ["5.json"]
    assert {"a", "ab"} <= set(objects.folders(""))
    assert objects.names("") == ["a.json"]


def test_a_prefix_is_a_folder_and_not_the_beginning_of_a_name(objects: Objects) -> None:
    for name in ("shots/1", "shots_2/1", "shot/1", "shots.json", "sho/ts/1"):
        objects.create(name, b"")
    assert [one.name for one in objects.walk("shots")] == ["shots/1"]
    assert objects.names("shots") == objects.names("shot") == ["1"]
    assert objects.folders("sho") == ["ts"]
    assert objects.names("sh") == objects.folders("sh") == list(objects.walk("sh")) == []


def test_walking_tells_name_size_and_time_of_everything_below(objects: Objects) -> None:
    sizes = {"a/1": 3, "a/b/2": 0, "a/b/c/3": 70_000, "d/4": 1}
    before = datetime.now(UTC) - timedelta(seconds=2)
    for name, size in sizes.items():
        objects.create(name, bytes(size))
    found = {one.name: one for one in objects.walk() if not one.name.startswith("checks/")}
    assert {name: one.size for name, one in found.items()} == sizes
    assert all(before <= one.modified <= datetime.now(UTC) + timedelta(seconds=2) for one in found.values())
    assert {one.name for one in objects.walk("a/b")} == {"a/b/2", "a/b/c/3"}


def test_lists_of_more_than_a_thousand(objects: Objects) -> None:
    names = [f"{number:05}.json" for number in range(1_100)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda name: objects.create(f"many/{name}", b""), names))
        assert all(pool.map(lambda name: objects.create(f"titles/{name}/1", b""), names[:1_050]))
    assert objects.names("many") == names
    assert objects.folders("titles") == names[:1_050]
    assert sorted(one.name for one in objects.walk("titles")) == [f"titles/{name}/1" for name in names[:1_050]]


@pytest.mark.parametrize("name", ODD)
def test_names_may_be_odd(objects: Objects, name: str) -> None:
    assert objects.create(f"{name}/{name}", name.encode())
    assert not objects.create(f"{name}/{name}", b"")
    assert objects.read(f"{name}/{name}") == name.encode()
    assert objects.names(name) == [name] and name in objects.folders("")
    assert [one.name for one in objects.walk(name)] == [f"{name}/{name}"]
    objects.remove(f"{name}/{name}")
    assert objects.names(name) == []


def test_ranges(objects: Objects) -> None:
    data = random.Random(1).randbytes(100_000)
    objects.create("a/1", data)
    for start, length in ((0, 1), (0, 100_000), (99_999, 1), (50_000, 12_345), (99_990, 100), (100_000, 5), (7, 0)):
        assert objects.read_range("a/1", start, length) == data[start : start + length]


def test_an_empty_object(objects: Objects) -> None:
    assert objects.create("a/empty", b"")
    assert not objects.create("a/empty", b"more")
    with objects.open("a/empty") as file:
        assert objects.read("a/empty") == objects.read_range("a/empty", 0, 10) == file.read() == b""
    assert [one.size for one in objects.walk("a")] == [0]


def test_reading_like_a_file(objects: Objects) -> None:
    data = random.Random(1).randbytes(700_000)
    objects.create("a/1", memoryview(data))
    for size in (None, len(data)):
        with objects.open("a/1", size) as file, io.BytesIO(data) as memory:
            for place, count in ((0, 10), (600_000, 50_000), (5, 400_000), (699_990, 100), (0, -1)):
                assert file.seek(place) == memory.seek(place)
                assert file.read(count) == memory.read(count)
                assert file.tell() == memory.tell()
            assert file.seek(-4, io.SEEK_END) == 699_996
            assert file.read() == data[-4:]


def test_removed_is_gone_and_may_be_created_again(objects: Objects) -> None:
    objects.create("a/1", b"one")
    objects.create("a/10", b"ten")
    objects.remove("a/1")
    objects.remove("a/1")
    assert objects.names("a") == ["10"]
    with pytest.raises(NotStored):
        objects.read("a/1")
    assert objects.create("a/1", b"again")
    assert objects.read("a/1") == b"again" and objects.read("a/10") == b"ten"


def test_an_object_moves_under_another_name(objects: Objects) -> None:
    objects.create("values/a/1", b"rows")
    objects.move("values/a/1", "trash/values/a/1")
    assert [one.name for top in ("values", "trash") for one in objects.walk(top)] == ["trash/values/a/1"]
    objects.create("values/a/1", b"newer rows")
    objects.move("values/a/1", "trash/values/a/1")
    assert objects.read("trash/values/a/1") == b"newer rows"
    with pytest.raises(NotStored, match=r"values/a/1"):
        objects.move("values/a/1", "trash/values/a/1")
    assert objects.read("trash/values/a/1") == b"newer rows"
    assert list(objects.unfinished()) == []


@pytest.mark.parametrize("name", ["memo/a/1", "blobs/aa/aa.mp4"])
def test_an_object_is_put_back(objects: Objects, name: str) -> None:
    objects.create(f"trash/run/{name}", b"rows")
    objects.put_back(f"trash/run/{name}", name)
    assert objects.read(name) == b"rows" and list(objects.walk("trash")) == []
    with pytest.raises(NotStored, match=r"trash/run"):
        objects.put_back(f"trash/run/{name}", name)
    assert objects.read(name) == b"rows"


def test_what_is_put_back_replaces_nothing(objects: Objects) -> None:
    objects.create("trash/run/memo/a/1", b"old")
    objects.create("memo/a/1", b"new")
    objects.put_back("trash/run/memo/a/1", "memo/a/1")
    assert objects.read("memo/a/1") == b"new" and list(objects.walk("trash")) == []


def test_of_many_threads_one_creates(objects: Objects) -> None:
    with ThreadPoolExecutor(8) as pool:
        for name in (f"race/{n}" for n in range(15)):
            wins = list(pool.map(lambda i, name=name: objects.create(name, str(i).encode() * 5000), range(8)))
            assert wins.count(True) == 1
            assert objects.read(name) == str(wins.index(True)).encode() * 5000


def test_of_many_processes_one_creates(objects: Objects, where: str, tmp_path: Path) -> None:
    script = """
for name in range(40):
    if objects.create(f"race/{name}", str(number).encode() * 5000):
        print(name)
"""
    won = [[int(name) for name in printed.split()] for printed in together(3, OPEN, script, where, tmp_path / "local")]
    assert sorted(name for names in won for name in names) == list(range(40))
    for number, names in enumerate(won):
        assert all(objects.read(f"race/{name}") == str(number).encode() * 5000 for name in names)
    assert len(objects.names("race")) == 40


def test_a_reader_never_sees_half_an_object(objects: Objects) -> None:
    data = bytes(2_000_000)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [objects.create(f"big/{n:02}", data) for n in range(12)])
        seen = 0
        while not writing.done():
            for one in objects.walk("big"):
                assert one.size == len(objects.read(one.name)) == len(data)
                seen += 1
        assert all(writing.result())
    assert seen or objects.names("big")


def test_a_file_is_stored_once_by_its_content(objects: Objects, tmp_path: Path) -> None:
    for name in ("one.mp4", "copy.mp4"):
        (tmp_path / name).write_bytes(b"film")
    first = objects.add_file(tmp_path / "one.mp4")
    assert first == sha256(b"film").hexdigest() + ".mp4"
    created = [one for one in objects.walk("blobs")]
    assert objects.add_file(tmp_path / "copy.mp4") == first
    assert list(objects.walk("blobs")) == created
    assert [one.name for one in created] == [f"blobs/{first[:2]}/{first}"]


@pytest.mark.parametrize("size", [0, 10, 21_000_000])
def test_a_blob_is_read_as_it_was(objects: Objects, tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    (tmp_path / "one.mp4").write_bytes(data)
    blob = objects.blob(objects.add_file(tmp_path / "one.mp4"))
    assert blob.exists() and blob.name == sha256(data).hexdigest() + ".mp4"
    with blob.open("rb") if isinstance(blob, Path) else blob.open() as file:
        assert file.seek(-min(size, 5), io.SEEK_END) == max(size - 5, 0)
        assert file.read() == data[-5:]
        file.seek(size // 2)
        assert file.read() == data[size // 2 :]


def test_a_blob_that_is_not_there(objects: Objects) -> None:
    assert not objects.blob("0" * 64 + ".mp4").exists()


def test_many_may_add_one_file_at_once(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "one.mp4").write_bytes(b"film" * 100_000)
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(objects.add_file, [tmp_path / "one.mp4"] * 8))
    assert len(set(names)) == 1
    assert [one.size for one in objects.walk("blobs")] == [400_000]


def test_calls_are_counted(where: str, tmp_path: Path) -> None:
    objects = open_store(where, tmp_path).objects
    objects.create("a/1", b"")
    objects.read("a/1")
    objects.names("a")
    objects.folders("a")
    objects.remove("a/1")
    assert objects.operations == {"create": 1, "read": 1, "list": 2, "remove": 1}
