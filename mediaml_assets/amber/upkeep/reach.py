"""Which objects of a store something refers to, read from the store as it is now.

    rows of the ledger    -> values, memos, environments, code          (references.py)
    memos                 -> values
    values                -> blobs; every value that lies there, whether or not something refers to it

Where that cannot be read because something is damaged, nobody knows what it refers to: then everything counts as
referred to that it could be about.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from mediaml_assets.amber.ledger import READERS, Value
from mediaml_assets.amber.names import memo_name, value_name
from mediaml_assets.amber.objects import Objects, Stored, blob_object
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.chain_check import check_chain
from mediaml_assets.amber.upkeep.object_check import Wrong, read_memo
from mediaml_assets.amber.upkeep.references import References, blob_columns, blob_names, circumstances, kept
from mediaml_assets.errors import Damaged, NotStored


@dataclass
class Reach:
    """What a part of a store refers to."""

    names: set[str] = field(default_factory=set)
    """Objects."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Folder -> why it is not known what of it is referred to."""

    def has(self, name: str) -> bool:
        """Whether something refers to an object, or may."""
        return name in self.names or any(name.startswith(f"{folder}/") for folder in self.unknown)

    def add(self, other: "Reach") -> None:
        """Take up what another part refers to."""
        self.names |= other.names
        self.unknown.update(other.unknown)


def reach(store: Store, feature: str, without: Collection[str] = (), let_go: Collection[str] = ()) -> Reach:
    """What the ledger and the memos of one feature refer to: values, memos, environments, code.

    Args:
        store: where.
        feature: which.
        without: scopes that do not count.
        let_go: memos that do not count unless a row refers to them.
    """
    references, found, faults = References(), Reach(), list[str]()
    try:
        for scope, chain in store.ledger.chains(feature):
            checked = check_chain(feature, scope, chain)
            if scope not in without:
                references.add_chain(checked.commits)
                found.names |= circumstances(checked.commits)
            faults += [str(finding) for finding in checked.findings]
    except Damaged as damage:
        faults.append(str(damage))
    found.names |= {memo_name(feature, key) for key in references.memos}
    with ThreadPoolExecutor(READERS) as pool:
        for one, memo in pool.map(lambda one: (one, _memo(store.objects, one)), store.objects.walk(f"memo/{feature}")):
            if isinstance(memo, Wrong):
                faults.append(f"{one.name}: {memo.what}")
            elif memo is not None and (one.name not in let_go or one.name in found.names):
                references.add_memo(PurePosixPath(one.name).stem, memo)
    found.names |= {value_name(feature, digest) for digest in references.values}
    if faults:
        folders = (f"values/{feature}", f"memo/{feature}", f"code/{feature}", "environments")
        found.unknown.update(dict.fromkeys(folders, faults[0]))
    return found


def columns_of(store: Store, feature: str) -> list[Mapping[str, str]] | None:
    """The column digests of every value of a feature that a row or a memo refers to; None when they cannot be told."""
    found: list[Mapping[str, str]] = []
    try:
        for scope, chain in store.ledger.chains(feature):
            checked = check_chain(feature, scope, chain)
            if checked.findings:
                return None
            found += [value.columns for value in kept(checked.commits)]
    except Damaged:
        return None
    for one in store.objects.walk(f"memo/{feature}"):
        memo = _memo(store.objects, one)
        if isinstance(memo, Wrong):
            return None
        if memo is not None:
            found.append(memo.columns)
    return found


def blob_reach(objects: Objects, without: Iterable[str] = (), also: str | None = None) -> Reach:
    """The blobs that values name.

    Args:
        objects: where.
        without: values that do not count.
        also: another folder, with values anywhere below it that count.
    """
    left_out, found = set(without), Reach()
    listed = [*objects.walk("values"), *(objects.walk(also) if also else ())]
    values = [one for one in listed if one.name not in left_out and "values/" in one.name]
    with ThreadPoolExecutor(READERS) as pool:
        for one, named in pool.map(lambda one: (one, blobs_of(objects, one.name, one.size)), values):
            if isinstance(named, Wrong):
                found.unknown.setdefault("blobs", f"{one.name}: {named.what}")
            else:
                found.names.update(map(blob_object, named))
    return found


def _memo(objects: Objects, one: Stored) -> Value | Wrong | None:
    with suppress(NotStored):
        return read_memo(objects, one.name)
    return None


def blobs_of(objects: Objects, value: str, size: int | None = None) -> list[str] | Wrong:
    """The blobs that a value names; none when it is not there."""
    try:
        with objects.open(value, size) as file, pq.ParquetFile(file) as parquet:
            columns = blob_columns(parquet.schema_arrow)
            return list(blob_names(parquet.read(columns, use_threads=False))) if columns else []
    except NotStored:
        return []
    except (OSError, pa.ArrowException) as error:
        return Wrong(f"it cannot be read ({error})")
