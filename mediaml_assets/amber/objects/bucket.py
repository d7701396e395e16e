"""Objects in a bucket of any S3 server that creates only if absent.

What is asked of the server: `PUT If-None-Match: *` of one part refuses a key that exists, and a listing and a read see
at once what was written before. No other condition and no condition on uploads of many parts is relied upon.

A request that is throttled, answered by 5xx or cut off is sent again for three minutes; then `Unreachable` is raised.

A versioned bucket is like any other (what is removed may be created again), but one of Ceph 16, which drops the
condition there: the first write of each process finds that out and refuses. Life-cycle rules may abort unfinished
uploads and expire noncurrent versions and delete markers (those of `claims/` after a day); never current objects.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from mediaml_assets.amber.objects import RemoteBlob, Stored, blob_object
from mediaml_assets.amber.objects.bucket_client import again, connect, said, status
from mediaml_assets.errors import NotStored, StoreError, Unreachable
from mediaml_assets.ranged import BLOCK, RangedFile

if TYPE_CHECKING:
    from obstore import ObjectMeta

Answer = TypeVar("Answer")

RETRY_SECONDS = 180.0
LARGEST = 5 * 1024**3
"""Bytes of one part, the most that can be created only if absent. Blobs are named by their content and need not be."""

_PART, _PARTS = 8 * 1024**2, 10_000
_PAGE = 1000
_CHECK = "checks/create-if-absent"


class BucketObjects:
    """Named immutable objects below a prefix of a bucket: an `Objects`.

    Processes that use it are spawned, never forked: its threads do not come along.

    Args:
        url: s3://bucket/prefix.
        retry_seconds: how long a request that fails is tried again.
    """

    def __init__(self, url: str, retry_seconds: float = RETRY_SECONDS) -> None:
        self._bucket, _, prefix = url.removeprefix("s3://").partition("/")
        self._prefix = prefix.strip("/")
        if not url.startswith("s3://") or not self._bucket:
            raise StoreError(f"{url!r} is no bucket; write s3://<bucket>/<prefix>")
        self.where = "/".join(filter(None, (f"s3://{self._bucket}", self._prefix)))
        self.operations: Counter[str] = Counter()
        self._retry_seconds = retry_seconds
        self._creates_only_if_absent = False

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Create the object in one part; False, and nothing changed, when the name exists.

        Raises:
            StoreError: it is larger than 5 GiB, or the server overwrites what exists.
        """
        self.operations["create"] += 1
        if len(data) > LARGEST:
            raise StoreError(
                f"{name} has {len(data):,} bytes, and a bucket takes {LARGEST:,} in one part; put large data into "
                "files and return them in a column made by `blob`"
            )
        if not self._creates_only_if_absent:
            self._check_creating()
        return self._create(name, data)

    def read(self, name: str) -> bytes:
        """The whole object; raises NotStored."""
        self.operations["read"] += 1
        return self._ask("read", name, lambda: bytes(obstore.get(self._store, name).bytes()))

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Bytes [start, start + length) of an object, fewer at its end; raises NotStored."""
        self.operations["read"] += 1
        if length > 0:
            return self._ask("read", name, lambda: self._range(name, start, length))
        # nothing is asked for: only whether it is there
        self._ask("read", name, lambda: obstore.head(self._store, name))
        return b""

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below `prefix` (without it), sorted."""
        return [name for name, stored in self.level(prefix) if stored is None]

    def names(self, prefix: str) -> list[str]:
        """Names of the objects directly below `prefix` (without it), sorted."""
        return [name for name, stored in self.level(prefix) if stored is not None]

    def level(self, prefix: str) -> list[tuple[str, Stored | None]]:
        """Name, and the object or None for a folder, of what is directly below `prefix`; sorted, 1,000 a request."""
        self.operations["list"] += 1
        found = self._ask("list", prefix, lambda: obstore.list_with_delimiter(self._store, prefix or None))
        below: list[tuple[str, Stored | None]] = [(path, None) for path in found["common_prefixes"]]
        below.extend((one["path"], _stored(one)) for one in found["objects"])
        start = f"{prefix}/" if prefix else ""
        # an empty object that some tools make for a folder has the folder's own name
        return sorted(
            ((path.removeprefix(start), one) for path, one in below if path.startswith(start)), key=lambda pair: pair[0]
        )

    def walk(self, prefix: str = "") -> Iterator[Stored]:
        """Every object below `prefix`, at any depth, sorted by name; 1,000 a request."""
        self.operations["list"] += 1
        last: str | None = None
        while True:
            found = self._ask("list", prefix, partial(self._page, prefix, last))
            yield from map(_stored, found)
            if len(found) < _PAGE:
                return
            last = found[-1]["path"]

    def remove(self, name: str) -> None:
        """Remove an object; one that is not there is fine."""
        self.operations["remove"] += 1
        self._ask("remove", name, lambda: obstore.delete(self._store, name))

    def move(self, name: str, to: str) -> None:
        """Give an object another name, in place of any object of that name; raises NotStored."""
        self.operations["move"] += 1
        self._ask("move", name, lambda: self._copy(name, to))
        self._ask("move", name, lambda: obstore.delete(self._store, name))

    def unfinished(self) -> Iterator[Stored]:
        """Nothing: an object is there when it is whole.

        Parts of large blobs whose upload was killed are no objects; a life-cycle rule of the bucket removes them.
        """
        return iter(())

    def put_back(self, name: str, to: str) -> None:
        """Give an object its former name again, or drop it when there is one of that name by now; raises NotStored."""
        if to.startswith("blobs/"):
            # these may be too large to be created only if absent; equal names are equal bytes
            self.move(name, to)
        else:
            self.create(to, self.read(name))
            self.remove(name)

    def add_file(self, file: Path) -> str:
        """Store a file as a blob named by its content, `<sha256>.<ext>`; returns that name."""
        self.operations["create"] += 1
        with file.open("rb") as stream:
            name = hashlib.file_digest(stream, "sha256").hexdigest() + file.suffix
        if not self.blob(name).exists():
            place, part = blob_object(name), _part(file.stat().st_size)
            # equal names are equal bytes, so an overwrite by a second writer changes nothing
            self._ask("store", place, lambda: obstore.put(self._store, place, file, chunk_size=part, max_concurrency=4))
        return name

    def blob(self, name: str) -> RemoteBlob:
        """A blob, to be read in ranges."""
        return _Blob(self, name)

    def look_at(self, name: str) -> Stored:
        """Size and time of one object; raises NotStored."""
        self.operations["read"] += 1
        return _stored(self._ask("look at", name, lambda: obstore.head(self._store, name)))

    def open(self, name: str, size: int | None = None) -> BinaryIO:
        """A buffered, seekable reader of an object, which fetches the ranges that are read; raises NotStored.

        Args:
            name: the object.
            size: its bytes, where they are known.
        """
        known = self.look_at(name).size if size is None else size
        fetch = partial(self.read_range, name)
        return cast(BinaryIO, BufferedReader(RangedFile(known, fetch, PurePosixPath(name).name), BLOCK))

    def url(self, name: str) -> str:
        """s3://bucket/prefix/name."""
        return f"{self.where}/{name}" if name else self.where

    def filesystem(self) -> Any:
        """An fsspec file system for `url`s."""
        return self._filesystem

    @cached_property
    def _filesystem(self) -> Any:
        from mediaml_assets.amber.objects.bucket_filesystem import BucketFileSystem

        return BucketFileSystem(self)

    @cached_property
    def _store(self) -> S3Store:
        return connect(self._bucket, self._prefix, self._retry_seconds)

    @cached_property
    def _once(self) -> S3Store:
        """Tries nothing again: who creates must know whether an attempt may have been applied."""
        return connect(self._bucket, self._prefix, retry_seconds=None)

    def _create(self, name: str, data: bytes | memoryview) -> bool:
        unsure = False

        def attempt() -> bool:
            nonlocal unsure
            try:
                obstore.put(self._once, name, data, mode="create", use_multipart=False)
                return True
            except BaseError as error:
                if isinstance(error, AlreadyExistsError) and status(error) != 409:
                    # an attempt that seemed to fail may have been applied
                    return unsure and self._holds(name, data)
                unsure = True
                raise

        return self._ask("create", name, attempt)

    def _range(self, name: str, start: int, length: int) -> bytes:
        try:
            return bytes(obstore.get_range(self._store, name, start=start, length=length))
        except BaseError as error:
            if status(error) != 416:
                raise
            # behind the end
            obstore.head(self._store, name)
            return b""

    def _page(self, prefix: str, last: str | None) -> "Sequence[ObjectMeta]":
        """What one request lists, after the last name of the one before."""
        return next(iter(obstore.list(self._store, prefix or None, offset=last, chunk_size=_PAGE)), ())

    def _copy(self, name: str, to: str) -> None:
        found = obstore.get(self._store, name)
        if found.meta["size"] <= LARGEST:
            obstore.copy(self._store, name, to, overwrite=True)
        else:
            obstore.put(self._store, to, found.stream(_PART), chunk_size=_part(found.meta["size"]))

    def _holds(self, name: str, data: bytes | memoryview) -> bool:
        try:
            return memoryview(obstore.get(self._store, name).bytes()) == memoryview(data)
        except FileNotFoundError:
            return False

    def _check_creating(self) -> None:
        """Once in a process: a server that overwrites what exists would lose commits."""
        if self._create(_CHECK, b"1") and self._create(_CHECK, b"2"):
            raise StoreError(
                f"{self.where} overwrites an object that exists although it is asked not to (PUT If-None-Match: *); "
                "a store cannot be kept there: choose another S3 server, or a folder"
            )
        self._creates_only_if_absent = True

    def _ask(self, verb: str, name: str, attempt: Callable[[], Answer]) -> Answer:
        """What the client answers, tried again; its exceptions become NotStored or Unreachable."""
        try:
            return again(attempt, self._retry_seconds)
        except FileNotFoundError as missing:
            if "NoSuchBucket" not in str(missing) and verb != "create":
                raise NotStored(f"nothing is stored as {name} below {self.where}") from missing
            raise Unreachable(f"there is no bucket {self._bucket}; make it, or correct the setting") from missing
        except BaseError as error:
            raise Unreachable(
                f"could not {verb} {self.url(name)} ({said(error)}); check the bucket's name, the credentials and the "
                "network, and try again: what was stored is kept"
            ) from error


@dataclass
class _Blob:
    """A blob of a bucket."""

    objects: BucketObjects
    name: str
    _size: int | None = field(default=None, init=False)

    def exists(self) -> bool:
        try:
            self._size = self.objects.look_at(blob_object(self.name)).size
        except NotStored:
            return False
        return True

    def open(self) -> BinaryIO:
        return self.objects.open(blob_object(self.name), self._size)


def _stored(found: "ObjectMeta") -> Stored:
    return Stored(found["path"], found["size"], found["last_modified"])


def _part(size: int) -> int:
    """Bytes of each part of a large object: a bucket takes 10,000 parts."""
    return max(_PART, -(-size // _PARTS))
