"""The files that jasper reads: a path, or a file elsewhere that is read in ranges."""

from pathlib import Path
from typing import BinaryIO, Protocol


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
