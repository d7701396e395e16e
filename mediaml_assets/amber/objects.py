"""The one seam to storage: named, immutable objects in a folder (a bucket stands behind the same library).

Only two promises are asked of storage: an object is created whole or not at all, and creating a name that exists
fails. Nothing is overwritten, nothing is renamed.
"""

import hashlib
from collections import Counter
from pathlib import Path

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

from mediaml_assets.errors import NotStored


class Objects:
    """Named immutable objects below one folder.

    `operations` counts the calls made, by verb: benchmarks and tests hold the store to its cost with it.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.operations: Counter[str] = Counter()
        self._store = LocalStore(str(root))

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Create the object; False, and nothing changed, when the name exists."""
        self.operations["create"] += 1
        try:
            obstore.put(self._store, name, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            return False
        return True

    def read(self, name: str) -> bytes:
        """The whole object; raises NotStored."""
        self.operations["read"] += 1
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as missing:
            raise NotStored(f"nothing is stored as {name} below {self.root}") from missing

    def folders(self, prefix: str) -> list[str]:
        """Names of the folders directly below `prefix` (without it), sorted."""
        self.operations["list"] += 1
        found = obstore.list_with_delimiter(self._store, prefix)["common_prefixes"]
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    def names(self, prefix: str) -> list[str]:
        """Names of the objects directly below `prefix` (without it), sorted."""
        self.operations["list"] += 1
        found = obstore.list_with_delimiter(self._store, prefix)["objects"]
        return sorted(str(meta["path"]).rpartition("/")[2] for meta in found)

    def add_file(self, file: Path) -> str:
        """Store a file as a blob named by its content, `<sha256>.<ext>`; returns that name."""
        with file.open("rb") as stream:
            name = hashlib.file_digest(stream, "sha256").hexdigest() + file.suffix
        path = self.blob_path(name)
        self.operations["create"] += 1
        if not path.exists():
            # equal names are equal bytes, so an overwrite by a second writer changes nothing
            obstore.put(self._store, _blob(name), file)
        return name

    def blob_path(self, name: str) -> Path:
        """Where a blob can be read as a local file."""
        return self.root / _blob(name)

    def path(self, name: str) -> Path:
        """Where an object can be read as a local file."""
        return self.root / name


def _blob(name: str) -> str:
    return f"blobs/{name[:2]}/{name}"
