"""What lies in the landing folder, and what has settled there."""

import os
import threading
import time
from pathlib import Path

import pytest

from mediaml_assets.landing.bucket import LandedFile, LandingFolder


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"film")


def paths(root: Path) -> list[str]:
    return [one.path for one in LandingFolder(root).files()]


def test_films_are_found_at_any_depth_sorted_by_path(tmp_path: Path) -> None:
    put(tmp_path, "b.mp4", "a.MKV", "show/s01/e02.mov", "show/s01/e01.webm")
    assert paths(tmp_path) == ["a.MKV", "b.mp4", "show/s01/e01.webm", "show/s01/e02.mov"]


def test_what_is_no_film_is_left_out(tmp_path: Path) -> None:
    put(
        tmp_path, "a.mp4", "a.srt", "a.mp4.title.json", "poster.jpg", "mp4", "a.mp4.part", ".hidden.mp4", ".cache/b.mp4"
    )
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.mp4")
    assert paths(tmp_path) == ["a.mp4"]


def test_a_linked_folder_is_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "landing", "a.mp4")
    put(tmp_path / "other", "b.mp4")
    (tmp_path / "landing/other").symlink_to(tmp_path / "other")
    (tmp_path / "landing/circle").symlink_to(tmp_path / "landing")
    assert paths(tmp_path / "landing") == ["a.mp4"]


def test_a_file_is_known_by_size_and_time(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    os.utime(tmp_path / "a.mp4", ns=(5, 7_000_000_001))
    assert LandingFolder(tmp_path).files() == [LandedFile("a.mp4", 4, 7_000_000_001, readable=True)]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path / "landing")
    assert folder.files() == [] and not folder.is_there()
    (tmp_path / "landing").mkdir()
    assert folder.is_there()


def test_no_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.mp4")
    folder = LandingFolder(tmp_path, settle_seconds=0)

    def opened(*args: object, **kwargs: object) -> None:
        raise AssertionError("a film was opened")

    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr("os.open", opened)
    assert folder.settled(folder.files())


def test_files_that_stand_still_have_settled(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "b.mp4")
    os.utime(tmp_path / "a.mp4", ns=(1, 1))
    os.utime(tmp_path / "b.mp4", ns=(1, 1))
    folder = LandingFolder(tmp_path, settle_seconds=30)
    began = time.monotonic()
    assert folder.settled(folder.files()) == folder.files()
    assert time.monotonic() - began < 5


def test_nothing_is_waited_for_where_there_is_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    assert LandingFolder(tmp_path, settle_seconds=30).settled([]) == []
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("change", ["grows", "goes away", "is touched"])
def test_a_file_that_changes_while_we_wait_is_left_for_later(tmp_path: Path, change: str) -> None:
    put(tmp_path, "changing.mp4", "still.mp4")
    folder = LandingFolder(tmp_path, settle_seconds=0.3)
    files = folder.files()
    file = tmp_path / "changing.mp4"

    def act() -> None:
        if change == "grows":
            with file.open("ab") as stream:
                stream.write(b"more")
        elif change == "goes away":
            file.unlink()
        else:
            os.utime(file, ns=(1, 1))

    timer = threading.Timer(0.1, act)
    timer.start()
    assert [one.path for one in folder.settled(files)] == ["still.mp4"]
    timer.join()


def test_a_clock_that_is_ahead_is_waited_for_no_longer_than_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    ahead = time.time_ns() + 10**12
    os.utime(tmp_path / "a.mp4", ns=(ahead, ahead))
    folder = LandingFolder(tmp_path, settle_seconds=0.1)
    began = time.monotonic()
    assert len(folder.settled(folder.files())) == 1
    assert time.monotonic() - began < 2


def test_the_sidecar_lies_beside_the_film(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path)
    assert folder.sidecar("show/a.mp4") == tmp_path / "show/a.mp4.title.json"
    assert folder.sidecar_mtime_ns("a.mp4") == folder.sidecar_mtime_ns("x" * 300) == 0
    put(tmp_path, "a.mp4.title.json")
    os.utime(tmp_path / "a.mp4.title.json", ns=(5, 7))
    assert folder.sidecar_mtime_ns("a.mp4") == 7
