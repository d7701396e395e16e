"""What is special to objects in a folder; `conformance` holds what is true of every place."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets_tests.amber.processes import files_below, together


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "store")


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
    assert [one.name for one in objects.walk()] == ["a/1.json"]
    assert objects.create("a/2.json", b"whole")
    assert objects.read("a/2.json") == b"whole"


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


def test_a_full_disk_leaves_no_half_object(tmp_path: Path) -> None:
    # a limit on the size of files cuts a write short as a full disk does
    before = "import pathlib, resource, sys\nfrom mediaml_assets.amber.objects.folder import FolderObjects"
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


def test_what_is_unfinished_is_listed_apart_and_can_be_removed(objects: FolderObjects, tmp_path: Path) -> None:
    objects.create("values/a/1.parquet", b"rows")
    (tmp_path / "store/values/a/2.parquet#left").write_bytes(b"ro")
    (left,) = objects.unfinished()
    assert (left.name, left.size) == ("values/a/2.parquet#left", 2)
    assert [one.name for one in objects.walk()] == ["values/a/1.parquet"]
    objects.remove(left.name)
    assert list(objects.unfinished()) == []


class Disk:
    """What is synced, in order: all that a power cut leaves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: list[str] = []
        fsync = os.fsync

        def note(descriptor: int) -> None:
            self.synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", note)

    def below(self, root: Path) -> list[str]:
        """Synced files and folders since the last call, without the random part of unfinished names."""
        found = [Path(path).relative_to(root).as_posix().split("#")[0] for path in self.synced]
        self.synced.clear()
        return found


def test_durable_syncs_the_file_before_its_name_and_every_folder_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    objects = FolderObjects(tmp_path, durable=True)
    names: list[bool] = []
    link = os.link

    def linked(source: str, target: str) -> None:
        names.append(disk.synced == [source])
        link(source, target)

    monkeypatch.setattr(os, "link", linked)
    assert objects.create("memo/a/1.json", b"one")
    assert disk.below(tmp_path) == ["memo/a/1.json", "memo/a", "memo", "."]
    assert names == [True]
    # the folders' own names are on the disk by now
    monkeypatch.setattr(os, "link", link)
    assert objects.create("memo/a/2.json", b"two")
    assert disk.below(tmp_path) == ["memo/a/2.json", "memo/a"]


def test_durable_syncs_what_another_writer_may_not_have_synced_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FolderObjects(tmp_path).create("memo/a/1.json", b"one")
    (tmp_path / "film.mp4").write_bytes(b"film")
    blob = FolderObjects(tmp_path).add_file(tmp_path / "film.mp4")
    disk = Disk(monkeypatch)
    objects = FolderObjects(tmp_path, durable=True)
    assert not objects.create("memo/a/1.json", b"other")
    assert {"memo/a", "memo", "."} <= set(disk.below(tmp_path))
    assert objects.add_file(tmp_path / "film.mp4") == blob
    assert disk.below(tmp_path) == [f"blobs/{blob[:2]}", "blobs", "."]


def test_a_durable_blob_is_synced_before_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    (tmp_path / "film.mp4").write_bytes(b"film")
    blob = FolderObjects(tmp_path, durable=True).add_file(tmp_path / "film.mp4")
    assert disk.below(tmp_path) == [f"blobs/{blob[:2]}/{blob}", f"blobs/{blob[:2]}", "blobs", "."]


def test_without_durable_nothing_is_synced(objects: FolderObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    objects.create("memo/a/1.json", b"one")
    assert disk.synced == []
