"""A bucket's objects as a file system, for what reads files by fsspec: DuckDB without extensions, pyarrow, pandas.

Only for reading. A pattern is answered from one listing of everything below its fixed part, 1,000 objects a request,
and what a listing told of sizes is remembered: objects never change.
"""

import re
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from fsspec.spec import AbstractFileSystem
from fsspec.utils import glob_translate

from mediaml_assets.amber.objects import Stored
from mediaml_assets.amber.objects.bucket import BucketObjects
from mediaml_assets.errors import NotStored


class BucketFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The objects of one store; a path is bucket/prefix/name, with or without s3:// before it.

    Args:
        objects: what is read.
    """

    protocol = "s3"
    cachable = False

    def __init__(self, objects: BucketObjects) -> None:
        super().__init__()
        self._objects = objects
        self._root: str = self._strip_protocol(objects.where)
        self._known: dict[str, Stored] = {}

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """What lies directly in a folder; raises FileNotFoundError when nothing does."""
        folder = self._strip_protocol(path)
        level = self._objects.level(self._name(folder))
        found = [self._file(one) if one else _folder(f"{folder}/{name}") for name, one in level]
        if not found:
            raise FileNotFoundError(path)
        return found if detail else [one["name"] for one in found]

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **_: Any
    ) -> Any:
        """Everything below a folder, sorted by path; folders too when asked, which objects make by their names."""
        base = self._strip_protocol(path)
        found: dict[str, dict[str, Any]] = {}
        for one in self._objects.walk(self._name(base)):
            file = f"{self._root}/{one.name}"
            below = PurePosixPath(file).relative_to(base)
            folders = [f"{base}/{parent}" for parent in below.parents if parent.name]
            if withdirs:
                found.update(
                    (folder, _folder(folder))
                    for folder in folders
                    if maxdepth is None or folder.removeprefix(f"{base}/").count("/") < maxdepth
                )
            if maxdepth is None or len(folders) < maxdepth:
                found[file] = self._file(one)
        if withdirs and found:
            found[base] = _folder(base)
        ordered = dict(sorted(found.items()))
        return ordered if detail else list(ordered)

    def glob(self, path: str, maxdepth: int | None = None, **_: Any) -> list[str]:
        """The files that match a pattern; only what stands below the store's own prefix is a wild card.

        A name without wild cards is given back unseen: opening it tells whether it is there.
        """
        pattern = self._name(path)
        fixed = re.split(r"[*?[]", pattern, maxsplit=1)[0]
        if fixed == pattern:
            return [str(self._strip_protocol(path))]
        matches = re.compile(glob_translate(pattern)).match
        return [self._file(one)["name"] for one in self._objects.walk(fixed.rpartition("/")[0]) if matches(one.name)]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type of a file or folder; raises FileNotFoundError."""
        plain = self._strip_protocol(path)
        name = self._name(plain)
        if name not in self._known:
            try:
                return self._file(self._objects.look_at(name))
            except NotStored as missing:
                if self._objects.level(name):
                    return _folder(plain)
                raise FileNotFoundError(path) from missing
        return self._file(self._known[name])

    def modified(self, path: str) -> datetime:
        """When an object was created."""
        created: datetime = self.info(path)["LastModified"]
        return created

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb":
            raise PermissionError(f"{path}: a store is written by features alone")
        return self._objects.open(self._name(path), self.info(path)["size"])

    def _name(self, path: str) -> str:
        plain = self._strip_protocol(path)
        if plain != self._root and not plain.startswith(f"{self._root}/"):
            raise FileNotFoundError(f"{path} is not in the store {self._objects.where}")
        return str(plain[len(self._root) + 1 :])

    def _file(self, one: Stored) -> dict[str, Any]:
        self._known[one.name] = one
        name = f"{self._root}/{one.name}"
        return {"name": name, "size": one.size, "type": "file", "LastModified": one.modified}


def _folder(path: str) -> dict[str, Any]:
    return {"name": path, "size": 0, "type": "directory"}
