"""The feature store: immutable values, the memo that finds them, and the ledger that says which one is current.

    values/<feature>/<aa>/<digest>.parquet     written once; no title inside
    memo/<feature>/<key>.json                  memo key -> value; the first writer wins
    claims/<feature>/<key>...                  who computes it now: a lock file, or on a bucket objects that beat
    ledger/<feature>/<scope>/...               the chain of commits
    folds/<feature>/<n>.parquet                older commits of all chains (`compact`)
    code/<feature>/<digest>.json               a feature's code in readable parts, by its fingerprint
    environments/<digest>.json                 versions of machine and libraries that commits refer to
    blobs/<aa>/<sha256>.<ext>                  derivatives: mp4, flac, frame tapes
    cache/<feature>/...                        derived data that may be thrown away (see cache.py)
    trash/<run>/<name>                         on its way out (`gc`, `forget`)
    damaged/<time>/<name>                      moved away by `repair`

They are written in the order blobs, value, memo, ledger: a crash leaves at most objects that nothing refers to, and
the next run finds the memo. What concerns one machine alone is not among them but in a local folder:
scratch/<feature>/<key>/, files of a computation while it lasts, and runs/<id>.lock, which Dagster runs are alive.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from mediaml_assets.amber.claims import Claim, FileClaim, is_held, try_claim
from mediaml_assets.amber.claims.bucket import PATIENCE, BucketClaim
from mediaml_assets.amber.keys import SHORT, column_digests, digest_of, rows_digest, schema_digest, to_json
from mediaml_assets.amber.ledger import Commit, Event, Ledger, Moment, Value, sparse
from mediaml_assets.amber.memo import Memo, memo_from
from mediaml_assets.amber.names import environment_name, memo_name, value_name
from mediaml_assets.amber.objects import Objects, blob_object, is_stored
from mediaml_assets.amber.objects.folder import FolderObjects
from mediaml_assets.amber.objects.trash import bring_back
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged, NotStored, StoreError

COMPRESSION = "zstd"

FORGOTTEN: tuple[Event, ...] = ("forgotten",)

FETCHED_WHOLE = 1024 * 1024
"""Bytes up to which a value on a bucket is fetched by one request, whatever columns are read."""


class Store:
    """A feature store in one folder or bucket; safe for any number of processes at once.

    Args:
        objects: where it is kept; a path is a folder.
        local: folder of this machine for scratch files; by default the folder of the store.
        patience: seconds after which a claim on a bucket that gives no sign of life is taken over.
    """

    def __init__(self, objects: Path | Objects, local: Path | None = None, patience: float = PATIENCE) -> None:
        self.objects: Objects = FolderObjects(objects) if isinstance(objects, Path) else objects
        if local is None and not isinstance(self.objects, FolderObjects):
            raise StoreError(f"the store {self.objects.where} is not on this machine; name a local folder for it too")
        self.local = local or Path(self.objects.where)
        self._patience = patience
        self.ledger = Ledger(self.objects)

    def recall(self, feature: str, key: str) -> Memo | None:
        """What is remembered under a memo key; None when that was never computed; raises Damaged."""
        found = self._remembered(feature, key)
        return found and found[0]

    def material(self, feature: str, key: str) -> dict[str, Any] | None:
        """What a remembered memo key is the digest of, see `Ask.material`; None when it is not remembered."""
        found = self._remembered(feature, key)
        return found and found[1]

    def _remembered(self, feature: str, key: str) -> tuple[Memo, dict[str, Any]] | None:
        name = memo_name(feature, key)
        try:
            document = json.loads(self.objects.read(name))
            return memo_from(key, document), document["material"]
        except NotStored:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(
                f"{self.objects.url(name)} is no memo of {feature} ({error}); run `mediaml repair {feature}`"
            ) from error

    def claim(self, feature: str, key: str) -> Claim:
        """Wait until nobody else computes this key, and hold it."""
        name = _claim_name(feature, key)
        if isinstance(self.objects, FolderObjects):
            return FileClaim(self.objects.path(f"{name}.lock"))
        return BucketClaim(self.objects, name, self._patience)

    def try_claim(self, feature: str, key: str) -> Claim | None:
        """Hold the claim on a key if nobody else does, without waiting; None otherwise.

        On a bucket it waits for who takes it at the very same moment.
        """
        if isinstance(self.objects, FolderObjects):
            return try_claim(self.objects.path(f"{_claim_name(feature, key)}.lock"))
        return None if self.is_claimed(feature, key) else self.claim(feature, key)

    def is_claimed(self, feature: str, key: str) -> bool:
        """Whether a living process holds the claim; on a bucket also one that died and was not taken over yet."""
        name = _claim_name(feature, key)
        if isinstance(self.objects, FolderObjects):
            return is_held(self.objects.path(f"{name}.lock"))
        return bool(self.objects.names(name))

    def scratch(self, feature: str, key: str) -> Path:
        """Where the holder of the claim on this key may write while it computes."""
        return self.local / "scratch" / feature / key

    def write_rows(
        self,
        feature: str,
        table: pa.Table,
        key: str,
        columns: Mapping[str, str],
        reads: Mapping[str, Mapping[str, str]] | None = None,
        encoded: memoryview | None = None,
    ) -> Value:
        """Store rows under their digest; writing the same rows again changes nothing.

        Args:
            feature: whose rows they are.
            table: the rows.
            key: the memo key that they answer.
            columns: digest of each column.
            reads: see `Value.reads`.
            encoded: what `encode` makes of the table, where that was done before.

        Raises:
            Damaged: a file of that name is there, and holds other rows.
        """
        digest = rows_digest(columns)
        name = value_name(feature, digest)
        stored: bytes | memoryview = encode(table) if encoded is None else encoded
        while not self.objects.create(name, stored):
            # not there any more: `gc` took it away in between
            with suppress(NotStored):
                stored = self._stored_before(feature, name, stored, digest)
                break
        return Value(
            digest=digest,
            key=key,
            columns=dict(columns),
            rows=table.num_rows,
            bytes=len(stored),
            blake3=blake3(stored).hexdigest(),
            schema=schema_digest(table.schema),
            reads=reads or {},
        )

    def holds(self, feature: str, value: Value) -> bool:
        """Whether the file of a value that something refers to is there."""
        name = value_name(feature, value.digest)
        return is_stored(self.objects, name) or bring_back(self.objects, name)

    def make_sure(self, feature: str, value: Value, rows: pa.Table) -> None:
        """See that a value is there, once something refers to it: `gc` may have taken it away before (see trash.py)."""
        if not self.holds(feature, value):
            self.write_rows(feature, rows, value.key, value.columns, value.reads)

    def holds_blob(self, name: str) -> bool:
        """Whether a file is there that a value names."""
        return self.objects.blob(name).exists() or bring_back(self.objects, blob_object(name))

    def _stored_before(self, feature: str, name: str, encoded: bytes | memoryview, digest: str) -> bytes | memoryview:
        """The file that was there first: another version of Parquet's writer may have stored equal rows otherwise."""
        stored = self.objects.read(name)
        if stored != encoded:
            try:
                whole = rows_digest(column_digests(pq.read_table(pa.BufferReader(stored)))) == digest
            except (OSError, pa.ArrowException):
                whole = False
            if not whole:
                raise Damaged(f"{self.objects.url(name)} is not what its name says; run `mediaml repair {feature}`")
        return stored

    def remember(self, feature: str, key: str, memo: Memo, material: Mapping[str, Any]) -> Memo:
        """Bind a key to a value; when another writer was first, theirs is returned and stays.

        The memo does not repeat what its name and its material say: the key, and what the value reads.
        """
        value = {**sparse(memo.value), "reads": memo.value.reads}
        del value["key"]
        if value["reads"] == material.get("inputs"):
            del value["reads"]
        noted = {name: noted for name, noted in vars(memo).items() if noted}
        document = {**noted, "value": value, "material": material, "digest": None}
        document["digest"] = digest_of(document)
        if self.objects.create(memo_name(feature, key), to_json(document)):
            return memo
        return self.recall(feature, key) or memo

    def add_environment(self, versions: Mapping[str, str]) -> str:
        """Keep the versions of machine and libraries for commits to refer to; returns their digest."""
        digest = digest_of(versions)[:SHORT]
        self.objects.create(environment_name(digest), to_json(versions))
        return digest

    def environment(self, digest: str) -> dict[str, str]:
        """The versions that a commit was made with, by its `environment`; raises NotStored and Damaged."""
        name = environment_name(digest)
        text = self.objects.read(name)
        if blake3(text).hexdigest()[:SHORT] != digest:
            raise Damaged(f"{name} is not what its name says; bring it back from a copy, or run `mediaml repair`")
        versions: dict[str, str] = json.loads(text)
        return versions

    def view(self, feature: str, scope: str, as_of: Moment | None = None) -> View:
        """The current value of a feature, or the one that was current at a moment.

        Raises:
            NotStored: it was never computed for this scope (or not yet, at that moment), was refused, is held back,
                or was forgotten since that moment.
        """
        head = self._head(feature, scope, as_of)
        if head is None:
            raise NotStored(f"{feature} has no value for {scope} yet; materialise it first")
        if head.current is None and not head.withdrawn:
            verdict = "was refused" if head.refused else "is held back by a check"
            raise NotStored(f"{feature} has no value for {scope}: it {verdict} ({head.reason}); deliver it again")
        if as_of is not None and (why := self.let_go(head)):
            raise NotStored(why)
        return View(self, feature, scope, head)

    def views(self, feature: str, titles: Sequence[str], as_of: Moment | None = None) -> dict[str, View]:
        """The views of a per-title feature, current or at a moment, for those of the titles that it ever looked at.

        Titles without a value (withdrawn, refused, held back, forgotten since) are among them, as `withdrawn`: their
        generations count.
        """
        heads = {title: self._head(feature, title, as_of) for title in titles}
        if as_of is not None:
            heads = {
                title: replace(head, current=None) if head and self.let_go(head) else head
                for title, head in heads.items()
            }
        return {title: View(self, feature, title, head) for title, head in heads.items() if head is not None}

    def _head(self, feature: str, scope: str, as_of: Moment | None) -> Commit | None:
        return self.ledger.head(feature, scope) if as_of is None else self.ledger.as_of(feature, scope, as_of)

    def let_go(self, commit: Commit, events: Collection[Event] = FORGOTTEN) -> str:
        """Why what was current after a commit is no longer stored, as a later row says; empty when none does."""
        if commit.current is None:
            return ""
        name = value_name(commit.feature, commit.current.digest)
        for later in self.ledger.chain(commit.feature, commit.scope)[::-1]:
            if later.seq > commit.seq and later.event in events and name in later.gone:
                return (
                    f"{commit.feature} of {commit.scope}, as it was on {commit.made_at}, is no longer stored: "
                    f"{later.event} on {later.made_at} by {later.who} ({later.reason})"
                )
        return ""

    def read_rows(
        self, feature: str, value: Value, columns: Sequence[str] | None = None, threads: bool = True
    ) -> pa.Table:
        """The rows of a value, or some of their columns, decoded by several threads or by the caller's alone.

        Raises:
            Damaged: the file is missing or unreadable, or has no such column.
        """
        name = value_name(feature, value.digest)
        try:
            try:
                return self._decode(name, value.bytes, columns, threads)
            except (FileNotFoundError, NotStored):
                if not bring_back(self.objects, name):
                    raise
                return self._decode(name, value.bytes, columns, threads)
        except (OSError, pa.ArrowInvalid, KeyError, NotStored) as error:
            raise Damaged(
                f"the value {self.objects.url(name)} cannot be read ({error}); bring the file back from a copy, or run "
                f"`mediaml repair {feature}`"
            ) from error

    def _decode(self, name: str, size: int, columns: Sequence[str] | None, threads: bool) -> pa.Table:
        # one file, known by its path: `read_table` would spend as much on looking for a data set as on small rows
        source, remote = self._parquet(name, size)
        with pq.ParquetFile(source, pre_buffer=remote) as parquet:
            rows = parquet.read(columns=list(columns) if columns is not None else None, use_threads=threads)
        return rows if columns is None else rows.select(list(columns))

    def _parquet(self, name: str, size: int) -> tuple[Any, bool]:
        """What pyarrow reads a Parquet object from, and whether reads of it should be joined into few."""
        if self.objects.filesystem() is None:
            self.objects.operations["read"] += 1
            return self.objects.url(name), False
        if size <= FETCHED_WHOLE:
            return pa.BufferReader(self.objects.read(name)), False
        return self.objects.open(name, size), True

    def commits(self, feature: str) -> Iterator[Commit]:
        """Every commit of a feature, scope by scope."""
        for scope in self.ledger.scopes(feature):
            yield from self.ledger.chain(feature, scope)


def open_store(where: str, local: Path, durable: bool = False) -> Store:
    """The store at a folder's path, or in a bucket.

    Args:
        where: the folder, or s3://bucket/prefix.
        local: folder of this machine for scratch files.
        durable: see `FolderObjects`; a bucket always is.
    """
    return Store(open_objects(where, durable), local)


def open_objects(where: str, durable: bool = False) -> Objects:
    """The objects below a folder's path, or below s3://bucket/prefix; `durable` as of `open_store`."""
    if not where.startswith("s3://"):
        return FolderObjects(Path(where), durable)
    from mediaml_assets.amber.objects.bucket import BucketObjects

    return BucketObjects(where)


def encode(table: pa.Table) -> memoryview:
    """A table as Parquet bytes: zstd, dictionaries only where they pay (not on floats and blobs of bits)."""
    schema = table.schema
    texts = [name for name, kind in zip(schema.names, schema.types, strict=True) if pa.types.is_string(kind)]
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression=COMPRESSION, use_dictionary=texts or False)
    return memoryview(sink.getvalue()).cast("B")


def _claim_name(feature: str, key: str) -> str:
    """What is claimed to compute a memo key: the name of a lock file without its suffix, or of a bucket's folder."""
    return f"claims/{feature}/{key}"
