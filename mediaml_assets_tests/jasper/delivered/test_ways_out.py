"""No delivered file makes its reader open another file or call an address; the kernel says so, not the reader.

Each bait is first given to bare FFmpeg, which takes it: what the traps do not note then is not proved by them.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import pytest

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.essence import essence
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.delivered.probe import probe
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize

from ..clips import Clip, render, steady
from ..reading.test_remote import Remote
from .baits import BAITS, Bait, Place
from .traps import NetworkTrap, OpenTrap


@pytest.fixture
def network() -> Iterator[NetworkTrap]:
    with NetworkTrap() as trap:
        yield trap


@pytest.fixture
def place(tmp_path: Path, network: NetworkTrap) -> Place:
    marker = render(tmp_path / "secret.mov", Clip(steady(25, 25)))
    return Place(tmp_path, marker, network.port)


def take(path: Path, bait: Bait) -> None:
    """What a careless program does."""
    with (
        suppress(av.FFmpegError),
        av.open(str(path), format=bait.format, container_options=bait.careless or {}, timeout=3) as container,
    ):
        for packet in container.demux():
            packet.decode()


def read_all(file: MediaFile, folder: Path) -> None:
    """Everything that the project does with a delivered file, each whether or not the one before refused it."""
    folder.mkdir()
    with suppress(MediaRefused):
        probe(file)
    with suppress(MediaRefused):
        essence(file)
    with suppress(MediaRefused):
        standardize(file, ML_360P, folder)
    with suppress(MediaRefused):
        isolated(essence, file)


@pytest.mark.parametrize("name", BAITS)
def test_no_bait_is_taken(name: str, place: Place, network: NetworkTrap) -> None:
    bait = BAITS[name]
    path = bait.lay(place)
    with OpenTrap(place.marker) as files:
        if bait.careless is not None:
            take(path, bait)
            assert files.count() + network.count() > 0, "bare FFmpeg does not take it: it proves nothing"
        read_all(path, place.folder / "here")
        read_all(Remote(path), place.folder / "there")
        assert (files.count(), network.count()) == (0, 0)


@pytest.mark.parametrize(
    "name",
    [
        "http:127.0.0.1.mp4",
        "tcp:127.0.0.1.mp4",
        "file:secret.mov.mp4",
        "concat:secret.mov|secret.mov",
        "concat:secret.mov|b.mp4",
        "subfile,,start,0,end,0,,:secret.mov",
        "crypto:secret.mov",
        "cache:secret.mov",
        "async:secret.mov",
        "data:video;base64,AAAA.mp4",
        "pipe:0.mp4",
        "fd:0.mp4",
        "-i.mp4",
        "--version.mp4",
        "secret%d.mov",
        "*.mp4",
        "a\nb.mp4",
    ],
)
def test_a_name_is_only_a_name(
    name: str, place: Place, network: NetworkTrap, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(place.folder)
    path = Path(name)
    render(tmp_path / "given.mp4", Clip(steady(25, 10), size=(160, 90))).rename(path)
    with OpenTrap(place.marker) as files, OpenTrap(path) as own:
        assert probe(path).video.width == 160
        assert isolated(probe, path).video.width == 160
        assert own.count() > 0
        assert (files.count(), network.count()) == (0, 0)


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    (tmp_path / "input.mp4").symlink_to("/dev/stdin")
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    (tmp_path / "nowhere.mp4").symlink_to("nowhere")
    start = time.monotonic()
    for name in ("pipe", "zero", "input", "folder", "circle", "nowhere"):
        for read in (probe, essence):
            with pytest.raises(MediaRefused, match=f"{name}.mp4 is not a file"):
                read(tmp_path / f"{name}.mp4")
            with pytest.raises(MediaRefused, match=f"{name}.mp4 is not a file"):
                isolated(read, tmp_path / f"{name}.mp4")
    assert time.monotonic() - start < 10
