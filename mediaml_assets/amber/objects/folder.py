"""Objects in a folder: one file each, made visible by a hard link."""

import hashlib
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from mediaml_assets.amber.objects import Stored, blob_object
from mediaml_assets.errors import NotStored

_UNFINISHED = "#"
"""Marks the name of a file that is still being written; what a killed writer left behind is no object."""


class FolderObjects:
    """Named immutable objects below one folder: an `Objects`.

    Args:
        root: made when absent.
        durable: an object that was created survives a power cut: the file and the folders on its way are synced
            before `create` and `add_file` return.
    """

    def __init__(self, root: Path, durable: bool = False) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.where = str(root)
        self.operations: Counter[str] = Counter()
        self._durable = durable
        self._synced: set[Path] = set()

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Create the object; False, and nothing changed, when the name exists."""
        self.operations["create"] += 1
        path = f"{self.root}/{name}"
        unfinished = _unfinished(path)
        try:
            with _opened(unfinished) as file:
                file.write(data)
            self._sync_file(unfinished)
            # unlike a rename, a link fails when the name exists
            os.link(unfinished, path)
            return True
        except FileExistsError:
            return False
        finally:
            with suppress(FileNotFoundError):
                os.unlink(unfinished)
            # also when another writer was first: what is built on its object must not outlive it
            self._sync_folders(name)

    def read(self, name: str) -> bytes:
        """The whole object; raises NotStored."""
        with self.open(name) as file:
            return file.read()

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Bytes [start, start + length) of an object, fewer at its end; raises NotStored."""
        with self.open(name) as file:
            file.seek(start)
            return file.read(length)

    def open(self, name: str, size: int | None = None) -> BinaryIO:
        """A reader of an object; raises NotStored."""
        self.operations["read"] += 1
        try:
            return open(f"{self.root}/{name}", "rb")
        except FileNotFoundError as missing:
            raise NotStored(f"nothing is stored as {name} below {self.root}") from missing

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below `prefix` (without it), sorted."""
        return sorted(entry.name for entry in self._entries(prefix) if entry.is_dir())

    def names(self, prefix: str) -> list[str]:
        """Names of the objects directly below `prefix` (without it), sorted."""
        return sorted(
            entry.name for entry in self._entries(prefix) if _UNFINISHED not in entry.name and entry.is_file()
        )

    def walk(self, prefix: str = "") -> Iterator[Stored]:
        """Every object below `prefix`, at any depth, in no order; those created or removed meanwhile may be missing."""
        return (one for one in self._walk(prefix) if _UNFINISHED not in one.name)

    def unfinished(self) -> Iterator[Stored]:
        """What writers are writing now, or left unfinished when they were killed; `remove` takes their names."""
        return (one for one in self._walk("") if _UNFINISHED in one.name)

    def remove(self, name: str) -> None:
        """Remove an object; one that is not there is fine."""
        self.operations["remove"] += 1
        self.path(name).unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        """Give an object another name, in place of any object of that name; raises NotStored."""
        self.operations["move"] += 1
        target = self.path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.replace(self.path(name), target)
        except FileNotFoundError as missing:
            raise NotStored(f"nothing is stored as {name} below {self.root}") from missing
        for place in (name, to):
            self._sync_folders(place)

    def put_back(self, name: str, to: str) -> None:
        """Give an object its former name again, or drop it when there is one of that name by now; raises NotStored."""
        self.operations["move"] += 1
        target = self.path(to)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            # unlike a rename, a link fails when the name exists
            os.link(self.path(name), target)
        except FileNotFoundError as missing:
            raise NotStored(f"nothing is stored as {name} below {self.root}") from missing
        except FileExistsError:
            pass
        self._sync_folders(to)
        self.path(name).unlink(missing_ok=True)
        self._sync_folders(name)

    def add_file(self, file: Path) -> str:
        """Store a file as a blob named by its content, `<sha256>.<ext>`; returns that name."""
        self.operations["create"] += 1
        with file.open("rb") as stream:
            name = hashlib.file_digest(stream, "sha256").hexdigest() + file.suffix
        path = self.blob(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = _unfinished(str(path))
            try:
                shutil.copyfile(file, unfinished)
                self._sync_file(unfinished)
                # equal names are equal bytes, so an overwrite by a second writer changes nothing
                os.replace(unfinished, path)
            finally:
                # still there only when the copy failed, on a full disk for one
                with suppress(FileNotFoundError):
                    os.unlink(unfinished)
        self._sync_folders(blob_object(name))
        return name

    def blob(self, name: str) -> Path:
        """Where a blob can be read as a local file."""
        return self.path(blob_object(name))

    def path(self, name: str) -> Path:
        """Where an object can be read as a local file."""
        return self.root / name

    def url(self, name: str) -> str:
        """The path of an object or of a folder of them."""
        return str(self.path(name))

    def filesystem(self) -> None:
        """Nothing: paths need none."""

    def _walk(self, prefix: str) -> Iterator[Stored]:
        """Every file below `prefix`."""
        folders = [prefix]
        while folders:
            folder = folders.pop()
            for entry in self._entries(folder):
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif entry.is_file():
                    with suppress(FileNotFoundError):
                        stat = entry.stat()
                        yield Stored(name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))

    def _entries(self, prefix: str) -> list["os.DirEntry[str]"]:
        self.operations["list"] += 1
        try:
            with os.scandir(f"{self.root}/{prefix}") as entries:
                return list(entries)
        except FileNotFoundError:
            return []

    def _sync_file(self, path: str) -> None:
        if self._durable:
            _sync(path)

    def _sync_folders(self, name: str) -> None:
        """Make the name of an object durable: its folder, and once in a process those that this one is in."""
        if not self._durable:
            return
        folder = self.path(name).parent
        if not folder.is_dir():
            return
        _sync(str(folder))
        while folder != self.root and folder not in self._synced:
            self._synced.add(folder)
            folder = folder.parent
            _sync(str(folder))


def _sync(path: str) -> None:
    """Wait until the content of a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: str) -> BinaryIO:
    """A new file; its folder is made when it is the first one there."""
    try:
        return open(path, "xb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "xb")


def _unfinished(path: str) -> str:
    return f"{path}{_UNFINISHED}{uuid.uuid4().hex}"
