import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from mediaml_assets.amber.store import Store
from mediaml_assets.landing.arrivals import SOURCE, Tick, look
from mediaml_assets.landing.folder import LandingFolder


class Landing:
    """A landing folder and a store, looked at tick by tick."""

    def __init__(self, home: Path) -> None:
        self.root = home / "landing"
        self.root.mkdir()
        self.store = Store(home / "store")
        self.known: Mapping[str, list[int]] = {}
        self.limit = 200

    def put(self, path: str, text: str = "film") -> Path:
        """Deliver a file; no two deliveries have one time stamp."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        stamp = time.time_ns()
        os.utime(file, ns=(stamp, stamp))
        return file

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def look(self) -> Tick:
        tick = look(LandingFolder(self.root, settle_seconds=0), self.store, self.known, self.limit)
        self.known = tick.known
        return tick

    def arrivals(self) -> dict[str, str]:
        """One look; title -> event of its arrivals."""
        return {one.title: one.commit.event for one in self.look().arrivals}

    def source(self, title: str) -> dict[str, object]:
        return self.store.view(SOURCE, title).row()

    def generation(self, title: str) -> int:
        return self.store.view(SOURCE, title).generation


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
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landing:
    monkeypatch.setenv("MEDIAML_HOME", str(tmp_path))
    monkeypatch.delenv("MEDIAML_LANDING", raising=False)
    return Landing(tmp_path)
