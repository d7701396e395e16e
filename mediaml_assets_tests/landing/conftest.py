import itertools
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.amber.store import Store
from mediaml_assets.landing.arrivals import SOURCE, Known, Tick, look
from mediaml_assets.landing.bucket import LandingBucket
from mediaml_assets.landing.files import Landing as LandingPlace
from mediaml_assets.landing.folder import LandingFolder
from mediaml_assets.landing.source_file import SourceFile


class Landing(ABC):
    """A landing place and a store, looked at tick by tick."""

    def __init__(self, home: Path) -> None:
        self.store = Store(home / "store")
        self.known: Known = {}
        self.limit = 200

    @abstractmethod
    def place(self) -> LandingPlace: ...

    @abstractmethod
    def put(self, path: str, text: str | None = None) -> Any:
        """Deliver a file; no two deliveries are alike, unless the text says so on a bucket."""

    @abstractmethod
    def remove(self, path: str) -> None: ...

    @abstractmethod
    def rename(self, path: str, new: str) -> None: ...

    @abstractmethod
    def stamp(self, path: str) -> str: ...

    def look(self) -> Tick:
        tick = look(self.place(), self.store, self.known, self.limit)
        self.known = tick.known
        return tick

    def arrivals(self) -> dict[str, str]:
        """One look; title -> event of its arrivals."""
        return {one.title: one.commit.event for one in self.look().arrivals}

    def source(self, title: str) -> dict[str, Any]:
        return self.store.view(SOURCE, title).row()

    def generation(self, title: str) -> int:
        return self.store.view(SOURCE, title).generation

    def source_file(self) -> SourceFile:
        """What a feature gets to read of the film `night`, which lands for it."""
        self.put("night.mp4", "a long night")
        self.look()
        return SourceFile.from_value(self.store.view(SOURCE, "night"))


_COUNT = itertools.count()


class Folder(Landing):
    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.root = home / "landing"
        self.root.mkdir()

    def place(self) -> LandingPlace:
        return LandingFolder(self.root, settle_seconds=0)

    def put(self, path: str, text: str | None = None) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("film" if text is None else text)
        stamp = time.time_ns()
        os.utime(file, ns=(stamp, stamp))
        return file

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def rename(self, path: str, new: str) -> None:
        (self.root / path).rename(self.root / new)

    def stamp(self, path: str) -> str:
        return str((self.root / path).stat().st_mtime_ns)


class Bucket(Landing):
    def __init__(self, home: Path, client: Any, name: str) -> None:
        super().__init__(home)
        self.client, self.name = client, name
        self.url = f"s3://{name}/studio a/landing"

    def place(self) -> LandingPlace:
        return LandingBucket(self.url, self.client)

    def at(self, path: str) -> dict[str, str]:
        """Bucket and key of a path, as arguments of the client."""
        return {"Bucket": self.name, "Key": f"studio a/landing/{path}"}

    def put(self, path: str, text: str | None = None) -> None:
        self.client.put_object(**self.at(path), Body=f"{next(_COUNT):04}" if text is None else text)

    def remove(self, path: str) -> None:
        self.client.delete_object(**self.at(path))

    def rename(self, path: str, new: str) -> None:
        self.client.copy_object(**self.at(new), CopySource=self.at(path))
        self.remove(path)

    def stamp(self, path: str) -> str:
        return str(self.client.head_object(**self.at(path))["ETag"]).strip('"')


_OPENED: list[str] = []
_LISTENING: list[bool] = []


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _LISTENING and event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        _OPENED.append(os.fsdecode(arguments[0]))


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Paths of the files that Python opens during a test, in order."""
    if not _HOOKED:
        sys.addaudithook(_listen)
        _HOOKED.append(True)
    _OPENED.clear()
    _LISTENING.append(True)
    yield _OPENED
    _LISTENING.clear()


_HOOKED: list[bool] = []
"""An audit hook cannot be taken away, so there is one for the whole session."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    return Folder(tmp_path)


@pytest.fixture
def bucket(tmp_path: Path, s3: Any, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    made = Bucket(tmp_path, s3, s3_bucket)
    monkeypatch.setattr("mediaml_assets.landing.source_file.open_landing", lambda where: made.place())
    return made


@pytest.fixture(params=["folder", "bucket"])
def landing(request: pytest.FixtureRequest) -> Landing:
    """Either place: what is said of it holds for both."""
    made: Landing = request.getfixturevalue(request.param)
    return made
