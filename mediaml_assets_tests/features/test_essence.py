"""The essence as a feature: what is read is what landed, or nothing is stored."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mediaml_assets.errors import InputMoved, MediaRefused
from mediaml_assets.features.essence import essence
from mediaml_assets.jasper.delivered import essence as jasper
from mediaml_assets.jasper.files import MediaFile
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.source_file import SourceFile
from mediaml_assets_tests.end_to_end.films import film


class Swapping(LandingFolder):
    """Something happens to the film between the look at it and the reading of it."""

    happens: Callable[[Path], None]

    def media(self, path: str, size: int, stamp: str) -> MediaFile:
        self.happens(self.root / path)
        return super().media(path, size, stamp)


def landed(tmp_path: Path, happens: Callable[[Path], None]) -> SourceFile:
    path = film(tmp_path / "landing" / "one.mp4", 1, shots=1)
    landing = Swapping(path.parent, settle_seconds=0)
    landing.happens = happens
    stat = path.stat()
    return SourceFile(landing, "one.mp4", stat.st_size, str(stat.st_mtime_ns), "one")


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    source = landed(tmp_path, lambda _: None)
    found = essence(source).column("digest").to_pylist()
    assert found == [jasper.essence(tmp_path / "landing" / "one.mp4").digest]


def test_a_film_swapped_for_a_link_to_another_file_is_not_taken(tmp_path: Path) -> None:
    secret = film(tmp_path / "elsewhere" / "secret.mp4", 2, shots=1)

    def swap(path: Path) -> None:
        os.utime(secret, ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
        path.unlink()
        path.symlink_to(secret)

    with pytest.raises(InputMoved, match="of one went away"):
        essence(landed(tmp_path, swap))


def test_a_film_swapped_for_a_pipe_does_not_hang(tmp_path: Path) -> None:
    def swap(path: Path) -> None:
        path.unlink()
        os.mkfifo(path)

    with pytest.raises(MediaRefused, match=r"one.mp4 is not a file"):
        essence(landed(tmp_path, swap))
