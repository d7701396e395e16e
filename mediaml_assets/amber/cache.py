"""What a feature derives from stored values and keeps beside them for the next computation: a cache.

A function with a parameter named `cache` is given one. It is for what is dear to make and cheap to keep, such as the
best pairs of two titles: objects below `cache/<feature>/` of the store, in a folder or on a bucket. A cache decides
what a value costs and never what it is; it is no part of any key, and whoever reads it must do without what is not
there, and be sure of what is.

Every object lies in a folder that is bound to what it was derived from: columns of a stored value, by their digests.
When no value that is referred to holds those columns any more, `gc` removes the folder.

    folder = cache.bound("frame-1", "silhouette", {"out_mask": "3f.."})
    cache.create(f"{folder}/best.pairs", data)
    cache.count("pairs_scored", 4_000_000)          # shown with the value: what was spent, what was saved
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mediaml_assets.amber.keys import SHORT, digest_of, to_json
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import NotStored

FOLDER = "cache"
"""Folder at the top of a store."""

_BOND = "of.json"
"""The object of a folder that says what the folder is bound to."""


class Cache:
    """The cache of one feature.

    Args:
        objects: where.
        feature: whose.

    Attributes:
        counts: what the function reported by `count`; kept with the value's metrics.
    """

    def __init__(self, objects: Objects, feature: str) -> None:
        self.counts: Counter[str] = Counter()
        self._objects = objects
        self._root = f"{FOLDER}/{feature}"
        self._bonds: dict[str, bytes] = {}
        self._counting = threading.Lock()

    def bound(self, kind: str, feature: str, columns: Mapping[str, str]) -> str:
        """The folder for what is derived from columns of a value, by their digests.

        Args:
            kind: what is derived and how (with its version); another kind of the same columns has another folder.
            feature: the feature that the columns are of.
            columns: name of each column -> its digest, as `Value.columns` has it.
        """
        folder = f"{kind}/{digest_of([feature, columns])[:SHORT]}"
        self._bonds[folder] = to_json({"feature": feature, "columns": columns})
        return folder

    def create(self, name: str, data: bytes | memoryview) -> bool:
        """Keep an object in a bound folder; False, and nothing changed, when the name exists."""
        folder = name.rpartition("/")[0]
        if bond := self._bonds.pop(folder, None):
            # before anything that it speaks for
            self._objects.create(f"{self._root}/{folder}/{_BOND}", bond)
        return self._objects.create(f"{self._root}/{name}", data)

    def read_range(self, name: str, start: int, length: int) -> bytes:
        """Bytes [start, start + length) of an object, fewer at its end; raises NotStored."""
        return self._objects.read_range(f"{self._root}/{name}", start, length)

    def names(self, folder: str) -> list[str]:
        """Names of the objects directly in a bound folder (without it), sorted."""
        return [name for name in self._objects.names(f"{self._root}/{folder}") if name != _BOND]

    def remove(self, name: str) -> None:
        """Throw an object away; one that is not there is fine."""
        self._objects.remove(f"{self._root}/{name}")

    def count(self, name: str, number: int) -> None:
        """Add to a number that is shown with the value; from any thread."""
        with self._counting:
            self.counts[name] += number


@dataclass(frozen=True)
class Bond:
    """What a folder of a cache was derived from; None when its bond is gone or is none."""

    feature: str
    columns: Mapping[str, str]

    def holds(self, columns: Mapping[str, str]) -> bool:
        """Whether a value of these columns is one that the folder was derived from."""
        return all(columns.get(name) == digest for name, digest in self.columns.items())


def bonds(objects: Objects) -> Iterator[tuple[str, Bond | None]]:
    """Every folder of every cache, `cache/<feature>/<kind>/<digest>`, with what it is bound to."""
    for feature in objects.folders(FOLDER):
        for kind in objects.folders(f"{FOLDER}/{feature}"):
            for digest in objects.folders(f"{FOLDER}/{feature}/{kind}"):
                folder = f"{FOLDER}/{feature}/{kind}/{digest}"
                yield folder, _bond(objects, f"{folder}/{_BOND}")


def _bond(objects: Objects, name: str) -> Bond | None:
    try:
        document = json.loads(objects.read(name))
        return Bond(document["feature"], dict(document["columns"]))
    except (NotStored, ValueError, KeyError, TypeError):
        return None
