"""The one seam to storage: named, immutable objects, in a folder or in a bucket.

Only two promises are asked of storage: an object is created whole or not at all, and creating a name that exists
fails. Nothing is ever overwritten.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from mediaml_assets.errors import NotStored


@dataclass(frozen=True)
class Stored:
    """An object as a listing states it."""

    name: str
    """The whole name, with forward slashes."""
    size: int
    """Bytes."""
    modified: datetime
    """When it was created, by the clock of the storage; in UTC."""


class RemoteBlob(Protocol):
    """A blob that is not on this machine."""

    @property
    def name(self) -> str:
        """`<sha256>.<ext>`."""

    def open(self) -> BinaryIO:
        """A new buffered, seekable reader, which fetches the ranges that are read; raises NotStored."""

    def exists(self) -> bool:
        """Whether it is stored."""


Blob = Path | RemoteBlob
"""Where a blob is read: in a folder a plain path."""


class Objects(Protocol):
    """Named immutable objects; a name is parts joined by forward slashes.

    Attributes:
        where: folder or URL, for messages.
        operations: calls made, by verb (create, read, list, remove, move): benchmarks and tests hold the store to its
            cost with it.

    Every method raises StoreError when the storage does not answer.
    """

    where: str
    operations: Counter[str]

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Create the object; False, and nothing changed, when the name exists."""

    def read(self, name: str) -> bytes:
        """The whole object; raises NotStored."""

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Bytes [start, start + length) of an object, fewer at its end; raises NotStored."""

    def open(self, name: str, size: int | None = None) -> BinaryIO:
        """A buffered, seekable reader of an object, which fetches what is read; raises NotStored.

        Args:
            name: the object.
            size: its bytes, where they are known: saves a request.
        """

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below `prefix` (without it), sorted."""

    def names(self, prefix: str) -> list[str]:
        """Names of the objects directly below `prefix` (without it), sorted."""

    def walk(self, prefix: str = "") -> Iterator[Stored]:
        """Every object below `prefix`, at any depth, in no order; what a killed writer left unfinished is none."""

    def remove(self, name: str) -> None:
        """Remove an object; one that is not there is fine."""

    def move(self, name: str, to: str) -> None:
        """Give an object another name, in place of any object of that name; raises NotStored.

        What is killed in between leaves both, never neither.
        """

    def put_back(self, name: str, to: str) -> None:
        """Give an object its former name again, or drop it when there is one of that name by now; raises NotStored.

        What is killed in between leaves both, never neither.
        """

    def unfinished(self) -> Iterator[Stored]:
        """What writers are writing now, or left unfinished when they were killed; `remove` takes their names."""

    def add_file(self, file: Path) -> str:
        """Store a file as a blob named by its content, `<sha256>.<ext>`; returns that name."""

    def blob(self, name: str) -> Blob:
        """Where a blob can be read, whether or not it is there."""

    def url(self, name: str) -> str:
        """What SQL and Parquet readers call an object or a folder of them: a path, or s3://..."""

    def filesystem(self) -> Any | None:
        """What those readers need to open a URL of `url`: None in a folder, an fsspec filesystem on a bucket."""


def is_stored(objects: Objects, name: str) -> bool:
    """Whether there is an object of this name."""
    try:
        objects.read_range(name, 0, 1)
    except NotStored:
        return False
    return True


def blob_object(name: str) -> str:
    """The object's name of a blob."""
    return f"blobs/{name[:2]}/{name}"
