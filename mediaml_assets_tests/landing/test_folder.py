"""What lies in the landing folder, and what has settled there."""

import os
import time
from pathlib import Path

import pytest

from mediaml_assets.errors import TitleRefused
from mediaml_assets.landing.files import SIDECAR_BYTES, LandedFile, sidecar_of
from mediaml_assets.landing.folder import LandingFolder


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"film")


def paths(root: Path) -> list[str]:
    return [one.path for one in LandingFolder(root).files()]


def test_films_are_found_at_any_depth_sorted_by_path(tmp_path: Path) -> None:
    put(tmp_path, "b.mp4", "a.MKV", "show/s01/e02.mov", "show/s01/e01.webm")
    assert paths(tmp_path) == ["a.MKV", "b.mp4", "show/s01/e01.webm", "show/s01/e02.mov"]


def test_what_is_no_media_is_left_out(tmp_path: Path) -> None:
    put(
        tmp_path, "a.mp4", "a.txt", "a.mp4.title.json", "poster.gif", "mp4", "a.mp4.part", ".hidden.mp4", ".cache/b.mp4"
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
    assert LandingFolder(tmp_path).files() == [LandedFile("a.mp4", 4, "7000000001", 7_000_000_001)]


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

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("builtins.open", opened)
        meanwhile.setattr("os.open", opened)
        assert folder.settled(folder.files())


def test_files_that_stand_still_have_settled(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "b.mp4")
    os.utime(tmp_path / "a.mp4", ns=(1, 1))
    os.utime(tmp_path / "b.mp4", ns=(1, 1))
    folder = LandingFolder(tmp_path, settle_seconds=30)
    began = time.monotonic()
    assert folder.settled(folder.files()) == folder.files()
    assert time.monotonic() - began < 20


def test_nothing_is_waited_for_where_there_is_nothing(tmp_path: Path) -> None:
    began = time.monotonic()
    assert LandingFolder(tmp_path, settle_seconds=30).settled([]) == []
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("change", ["grows", "goes away", "is touched"])
def test_a_file_that_changes_while_we_wait_is_left_for_later(
    tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "changing.mp4", "still.mp4")
    folder = LandingFolder(tmp_path, settle_seconds=30)
    files = folder.files()
    file = tmp_path / "changing.mp4"

    def meanwhile(seconds: float) -> None:
        if change == "grows":
            with file.open("ab") as stream:
                stream.write(b"more")
        elif change == "goes away":
            file.unlink()
        else:
            os.utime(file, ns=(1, 1))

    monkeypatch.setattr("mediaml_assets.landing.folder.time.sleep", meanwhile)
    assert [one.path for one in folder.settled(files)] == ["still.mp4"]


def test_a_clock_that_is_ahead_is_waited_for_no_longer_than_the_rest(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    ahead = time.time_ns() + 10**12
    os.utime(tmp_path / "a.mp4", ns=(ahead, ahead))
    folder = LandingFolder(tmp_path, settle_seconds=0.1)
    began = time.monotonic()
    assert len(folder.settled(folder.files())) == 1
    assert time.monotonic() - began < 60


def test_the_sidecar_lies_beside_the_film(tmp_path: Path) -> None:
    folder = LandingFolder(tmp_path)
    put(tmp_path, "show/a.mp4", "show/b.mp4", "show/a.mp4.title.json")
    os.utime(tmp_path / "show/a.mp4.title.json", ns=(5, 7))
    (tmp_path / sidecar_of("show/b.mp4")).mkdir()
    first, second = folder.files()
    assert (first.sidecar, second.sidecar) == ("7", "")
    assert folder.sidecar(first) == b"film"
    (tmp_path / "show/a.mp4.title.json").unlink()
    assert folder.sidecar(first) is None


def test_a_sidecar_is_read_up_to_its_bound(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    sidecar = tmp_path / sidecar_of("a.mp4")
    sidecar.write_bytes(b" " * SIDECAR_BYTES)
    folder = LandingFolder(tmp_path)
    [film] = folder.files()
    assert folder.sidecar(film) == b" " * SIDECAR_BYTES
    sidecar.write_bytes(b" " * (SIDECAR_BYTES + 1))
    with pytest.raises(TitleRefused, match=r"the sidecar of 'a\.mp4' is larger than 64 KiB"):
        folder.sidecar(film)


def test_a_link_that_leads_outside_is_refused_and_one_inside_is_a_file(tmp_path: Path) -> None:
    put(tmp_path / "landing", "a.mp4", "reels/r.mp4")
    put(tmp_path, "secret.mp4", "secret.json")
    landing = tmp_path / "landing"
    (landing / "b.mp4").symlink_to(tmp_path / "secret.mp4")
    (landing / "c.mp4").symlink_to("reels/r.mp4")
    (landing / "a.mp4.title.json").symlink_to(tmp_path / "secret.json")
    folder = LandingFolder(landing)
    files = {one.path: one for one in folder.files()}
    assert {path: one.refusal is not None for path, one in files.items()} == {
        "a.mp4": False, "b.mp4": True, "c.mp4": False, "reels/r.mp4": False,
    }  # fmt: skip
    assert "leads outside of the landing folder" in str(files["b.mp4"].refusal)
    with pytest.raises(TitleRefused, match=r"the sidecar of 'a\.mp4' is a link that leads outside"):
        folder.sidecar(files["a.mp4"])
    assert folder.now("b.mp4") is None and folder.now("c.mp4") == (4, files["c.mp4"].stamp)


def test_a_landing_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "disk", "a.mp4")
    (tmp_path / "disk/b.mp4").symlink_to(tmp_path / "disk/a.mp4")
    (tmp_path / "landing").symlink_to(tmp_path / "disk")
    assert [one.refusal for one in LandingFolder(tmp_path / "landing").files()] == [None, None]
