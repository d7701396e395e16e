"""What media may do to the process that reads them, done on purpose: functions to be called isolated."""

import ctypes
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.files import MediaFile, open_binary


def first_byte(file: MediaFile) -> int:
    with open_binary(file) as stream:
        return stream.read(1)[0]


def process(file: MediaFile) -> tuple[int, int]:
    return os.getpid(), os.getppid()


def refuse(file: MediaFile) -> None:
    raise MediaRefused(f"{file.name} is odd; deliver it even")


def fault_of_ours(file: MediaFile) -> None:
    raise KeyError("a key that we forgot")


def crash(file: MediaFile) -> None:
    ctypes.string_at(0)


def abort(file: MediaFile) -> None:
    os.abort()


def leave(file: MediaFile) -> None:
    os._exit(3)


def raise_signal(file: MediaFile, number: int) -> None:
    os.kill(os.getpid(), number)
    time.sleep(60)


def stand_still(file: MediaFile, note: Path | None = None) -> None:
    _write_pids(note)
    while True:
        time.sleep(3600)


def spin(file: MediaFile, note: Path | None = None) -> None:
    _write_pids(note)
    while True:
        pass


def _write_pids(note: Path | None) -> None:
    if note is not None:
        note.with_suffix(".part").write_text(f"{os.getpid()} {os.getppid()}")
        note.with_suffix(".part").rename(note)


def read_for_ever(file: MediaFile) -> None:
    """Looks alive: it is only ended by the time it takes."""
    while True:
        first_byte(file)
        time.sleep(0.05)


def eat(file: MediaFile, size: int) -> int:
    return int(np.ones(size, np.uint8)[-1])


def toil(file: MediaFile, seconds: float, size: int) -> int:
    taken = np.ones(size, np.uint8)
    while time.process_time() < seconds:
        pass
    return int(taken[-1])


def write(file: MediaFile, path: Path, size: int) -> None:
    with path.open("wb") as stream:
        for _ in range(size // 4096):
            stream.write(bytes(4096))


def count(file: MediaFile, progress: Callable[[float], None] | None = None) -> bool:
    for step in range(5):
        assert progress is not None
        progress(step / 4)
        time.sleep(0.25)
    return True
