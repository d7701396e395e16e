"""The one seam to storage: named, immutable objects in a folder.

Only two promises are asked of storage: an object is created whole or not at all, and creating a name that exists
fails. Nothing is overwritten, so a bucket that creates only if absent can stand behind the same six calls.
"""

import hashlib
import os
import shutil
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from mediaml_assets.errors import NotStored

_UNFINISHED = "#"
"""Marks the name of a file that is still being written; what a killed writer left behind is no object."""


class Objects:
    """Named immutable objects below one folder.

    `operations` counts the calls made, by verb: benchmarks and tests hold the store to its cost with it.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.operations: Counter[str] = Counter()

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Create the object; False, and nothing changed, when the name exists."""
        self.operations["create"] += 1
        path = f"{self.root}/{name}"
        unfinished = _unfinished(path)
        try:
            with _opened(unfinished) as file:
                file.write(data)
            # unlike a rename, a link fails when the name exists
            os.link(unfinished, path)
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)
        return True

    def read(self, name: str) -> bytes:
        """The whole object; raises NotStored."""
        self.operations["read"] += 1
        try:
            with open(f"{self.root}/{name}", "rb") as file:
                return file.read()
        except FileNotFoundError as missing:
            raise NotStored(f"nothing is stored as {name} below {self.root}") from missing

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below `prefix` (without it), sorted."""
        return sorted(entry.name for entry in self._entries(prefix) if entry.is_dir())

    def names(self, prefix: str) -> list[str]:
        """Names of the objects directly below `prefix` (without it), sorted."""
        return sorted(
            entry.name for entry in self._entries(prefix) if entry.is_file() and _UNFINISHED not in entry.name
        )

    def add_file(self, file: Path) -> str:
        """Store a file as a blob named by its content, `<sha256>.<ext>`; returns that name."""
        self.operations["create"] += 1
        with file.open("rb") as stream:
            name = hashlib.file_digest(stream, "sha256").hexdigest() + file.suffix
        path = self.blob_path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = _unfinished(str(path))
            try:
                shutil.copyfile(file, unfinished)
                # equal names are equal bytes, so an overwrite by a second writer changes nothing
                os.replace(unfinished, path)
            finally:
                # still there only when the copy failed, on a full disk for one
                with suppress(FileNotFoundError):
                    os.unlink(unfinished)
        return name

    def blob_path(self, name: str) -> Path:
        """Where a blob can be read as a local file."""
        return self.root / "blobs" / name[:2] / name

    def path(self, name: str) -> Path:
        """Where an object can be read as a local file."""
        return self.root / name

    def _entries(self, prefix: str) -> list["os.DirEntry[str]"]:
        self.operations["list"] += 1
        try:
            with os.scandir(f"{self.root}/{prefix}") as entries:
                return list(entries)
        except FileNotFoundError:
            return []


def _unfinished(path: str) -> str:
    return f"{path}{_UNFINISHED}{uuid.uuid4().hex}"


def _opened(path: str) -> BinaryIO:
    """A new file; its folder is made when it is the first one there."""
    try:
        return open(path, "xb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "xb")
