"""The files that jasper reads: a path, or a file elsewhere that is read in ranges."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray


class RemoteFile(Protocol):
    """A file that is not on this machine: its name, and a way to read from any place in it."""

    @property
    def name(self) -> str:
        """Last part of where it is, for messages."""

    def open(self) -> BinaryIO:
        """A new seekable reader, which fetches what is read."""


MediaFile = Path | RemoteFile
"""What every reader of jasper takes; a path is read by FFmpeg itself."""


def open_binary(file: MediaFile) -> BinaryIO:
    """A reader over the bytes of a file, wherever it is."""
    return file.open("rb") if isinstance(file, Path) else file.open()


class Watched:
    """A reader of a remote file as PyAV calls it, from inside FFmpeg, where an exception may get lost.

    The first one is raised and kept as `failure`; from then on the file reads as ended, so that FFmpeg comes back soon.
    """

    def __init__(self, file: RemoteFile) -> None:
        self._reader = file.open()
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if self.failure is not None:
            return b""
        try:
            return self._reader.read(size)
        except Exception as failure:
            self.failure = failure
            raise

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; nothing is fetched."""
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._reader.tell()


def mapped(file: MediaFile, dtype: str) -> NDArray[Any]:
    """The items of a file as an array [n], read when they are looked at; read-only.

    A file elsewhere is copied to a temporary file without a name (in TMPDIR) that goes away with the array.
    """
    with ExitStack() as stack:
        if isinstance(file, Path):
            stream: Any = stack.enter_context(file.open("rb"))
        else:
            stream = stack.enter_context(tempfile.TemporaryFile())
            with file.open() as reader:
                shutil.copyfileobj(reader, stream, 1 << 20)
            stream.flush()
        if stream.seek(0, 2) == 0:
            return np.zeros(0, dtype)
        return np.memmap(stream, dtype, mode="r")
