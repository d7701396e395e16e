"""An object is created whole, once, by one writer."""

import errno
import shutil
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from mediaml_assets.amber.folder_objects import FolderObjects
from mediaml_assets.errors import NotStored
from mediaml_assets_tests.amber.processes import files_below, together


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "store")


def test_what_was_created_is_read_and_stays(objects: FolderObjects) -> None:
    assert objects.create("memo/a/x.json", b"one")
    assert not objects.create("memo/a/x.json", b"two")
    assert objects.read("memo/a/x.json") == b"one"


def test_what_was_never_created_is_not_stored(objects: FolderObjects) -> None:
    with pytest.raises(NotStored, match=r"memo/a/x\.json"):
        objects.read("memo/a/x.json")
    assert objects.names("memo/a") == objects.folders("memo") == []


def test_names_and_folders_are_sorted_and_of_one_level(objects: FolderObjects) -> None:
    for name in ("a/2.json", "a/1.json", "a/deep/3.json", "a/b@c/4.json", "ab/5.json"):
        objects.create(name, b"")
    assert objects.names("a") == ["1.json", "2.json"]
    assert objects.folders("a") == ["b@c", "deep"]


@pytest.mark.parametrize("name", ["with space", "it's", "a[1]*?", "Füße", "#1", "50%20"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    objects = FolderObjects(tmp_path / name)
    objects.create("memo/a.json", b"here")
    assert objects.read("memo/a.json") == b"here"
    assert objects.path("memo/a.json").read_bytes() == b"here"
    assert objects.names("memo") == ["a.json"]


def test_a_file_left_by_a_killed_writer_is_no_object(objects: FolderObjects) -> None:
    objects.create("a/1.json", b"")
    objects.path("a/2.json#1").write_bytes(b"half of i")
    assert objects.names("a") == ["1.json"]
    assert objects.create("a/2.json", b"whole")
    assert objects.read("a/2.json") == b"whole"


def test_of_many_threads_one_creates(objects: FolderObjects) -> None:
    with ThreadPoolExecutor(8) as pool:
        for name in (f"race/{n}" for n in range(30)):
            wins = list(pool.map(lambda i, name=name: objects.create(name, str(i).encode() * 5000), range(8)))
            assert wins.count(True) == 1
            assert objects.read(name) == str(wins.index(True)).encode() * 5000


def test_of_many_processes_one_creates(tmp_path: Path) -> None:
    before = "import pathlib, sys\nfrom mediaml_assets.amber.folder_objects import FolderObjects"
    script = """
objects = FolderObjects(pathlib.Path(sys.argv[2]))
for name in range(60):
    if objects.create(f"race/{name}", str(number).encode() * 5000):
        print(name)
"""
    won = [[int(name) for name in printed.split()] for printed in together(3, before, script, tmp_path)]
    assert sorted(name for names in won for name in names) == list(range(60))
    objects = FolderObjects(tmp_path)
    for number, names in enumerate(won):
        assert all(objects.read(f"race/{name}") == str(number).encode() * 5000 for name in names)
    assert files_below(tmp_path) == sorted(f"race/{name}" for name in range(60))


def test_a_reader_never_sees_half_an_object(objects: FolderObjects) -> None:
    data = bytes(3_000_000)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [objects.create(f"big/{n:02}", data) for n in range(12)])
        seen = 0
        while not writing.done():
            for name in objects.names("big"):
                assert len(objects.read(f"big/{name}")) == len(data)
                assert objects.path(f"big/{name}").stat().st_size == len(data)
                seen += 1
        assert all(writing.result())
    assert seen or objects.names("big")


def test_a_file_is_stored_once_by_its_content(objects: FolderObjects, tmp_path: Path) -> None:
    for name in ("one.mp4", "copy.mp4"):
        (tmp_path / name).write_bytes(b"film")
    first = objects.add_file(tmp_path / "one.mp4")
    stamp = objects.blob(first).stat().st_mtime_ns
    assert first == sha256(b"film").hexdigest() + ".mp4"
    assert objects.add_file(tmp_path / "copy.mp4") == first
    assert objects.blob(first).read_bytes() == b"film"
    assert objects.blob(first).stat().st_mtime_ns == stamp
    assert len(files_below(objects.root)) == 1


def test_a_copy_that_fails_leaves_nothing(
    objects: FolderObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: str) -> None:
        Path(target).write_bytes(b"fi")
        raise OSError(errno.ENOSPC, "no space left on device")

    (tmp_path / "one.mp4").write_bytes(b"film")
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="no space"):
        objects.add_file(tmp_path / "one.mp4")
    assert files_below(objects.root) == []


def test_many_may_add_one_file_at_once(objects: FolderObjects, tmp_path: Path) -> None:
    (tmp_path / "one.mp4").write_bytes(b"film" * 100_000)
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(objects.add_file, [tmp_path / "one.mp4"] * 8))
    assert len(set(names)) == 1
    assert objects.blob(names[0]).read_bytes() == b"film" * 100_000
    assert len(files_below(objects.root)) == 1


def test_calls_are_counted(objects: FolderObjects) -> None:
    objects.create("a/1", b"")
    objects.read("a/1")
    objects.names("a")
    objects.folders("a")
    assert objects.operations == {"create": 1, "read": 1, "list": 2}


def test_a_full_disk_leaves_no_half_object(tmp_path: Path) -> None:
    # a limit on the size of files cuts a write short as a full disk does
    before = "import pathlib, resource, sys\nfrom mediaml_assets.amber.folder_objects import FolderObjects"
    script = """
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
objects = FolderObjects(pathlib.Path(sys.argv[2]))
for size in (1500, 500_000):
    try:
        print(objects.create(f"values/{size}", bytes(size)))
    except OSError as error:
        print(error.strerror)
"""
    assert together(1, before, script, tmp_path) == ["File too large\nFile too large\n"]
    assert files_below(tmp_path) == []


def test_an_object_moves_under_another_name(objects: FolderObjects, tmp_path: Path) -> None:
    objects.create("values/a/1.parquet", b"rows")
    objects.move("values/a/1.parquet", "trash/values/a/1.parquet")
    assert files_below(tmp_path / "store") == ["trash/values/a/1.parquet"]
    objects.create("values/a/1.parquet", b"newer rows")
    objects.move("values/a/1.parquet", "trash/values/a/1.parquet")
    assert objects.read("trash/values/a/1.parquet") == b"newer rows"
    with pytest.raises(NotStored, match=r"values/a/1\.parquet"):
        objects.move("values/a/1.parquet", "trash/values/a/1.parquet")


def test_what_is_unfinished_is_listed_apart_and_can_be_removed(objects: FolderObjects, tmp_path: Path) -> None:
    objects.create("values/a/1.parquet", b"rows")
    (tmp_path / "store/values/a/2.parquet#left").write_bytes(b"ro")
    (left,) = objects.unfinished()
    assert (left.name, left.size) == ("values/a/2.parquet#left", 2)
    assert [one.name for one in objects.walk()] == ["values/a/1.parquet"]
    objects.remove(left.name)
    assert list(objects.unfinished()) == []
