"""Whether one stored object is what its name and whoever refers to it say: a memo, a value, a blob."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from mediaml_assets.amber.code.parts import code_from
from mediaml_assets.amber.keys import SHORT, column_digests, digest_of, rows_digest, to_json
from mediaml_assets.amber.ledger import Value
from mediaml_assets.amber.memo import memo_from
from mediaml_assets.amber.objects import Objects
from mediaml_assets.amber.upkeep.references import Held, blob_names

CHUNK = 1 << 23
"""Bytes of a blob that are read at once."""


@dataclass(frozen=True)
class Wrong:
    """Why an object is damaged."""

    what: str


def read_memo(objects: Objects, name: str) -> Value | Wrong:
    """The value that a memo remembers; raises NotStored."""
    text, key = objects.read(name), PurePosixPath(name).stem
    try:
        document = json.loads(text)
        memo = memo_from(key, document)
        if to_json(document) != text or digest_of(document["material"]) != key:
            return Wrong("this memo was changed: its material is not what its key says")
    except (ValueError, KeyError, TypeError):
        return Wrong("this memo was changed: its content is not what its digest says")
    return memo.value


def read_value(objects: Objects, name: str, held: Held | None) -> list[str] | Wrong:
    """The blobs that a value names; raises NotStored.

    The file's digest is compared with what rows and memos carry, the rows' digest with the name. A file of other bytes
    is not opened.
    """
    data = objects.read(name)
    file = (len(data), blake3(data).hexdigest())
    if held is not None and file not in held.files:
        return Wrong("this value was changed: its file has not the size and digest that were written down")
    try:
        rows = pq.read_table(pa.BufferReader(data), use_threads=False)
    except (pa.ArrowException, OSError):
        return Wrong("this value was changed: it is no whole Parquet file")
    if rows_digest(column_digests(rows)) != PurePosixPath(name).stem:
        return Wrong("this value was changed: its rows are not what its name says")
    return list(blob_names(rows))


def read_blob(objects: Objects, name: str) -> Wrong | None:
    """None when the content of a blob is what its name says; raises NotStored."""
    digest, start = hashlib.sha256(), 0
    while chunk := objects.read_range(name, start, CHUNK):
        digest.update(chunk)
        start += len(chunk)
        if len(chunk) < CHUNK:
            break
    if start == 0:
        objects.read_range(name, 0, 1)
    if digest.hexdigest() != PurePosixPath(name).name.split(".")[0]:
        return Wrong("this file was changed: its content is not what its name says")
    return None


def read_text(objects: Objects, name: str) -> Wrong | None:
    """None when the content of an object is what its name says, which is its BLAKE3; raises NotStored."""
    if blake3(objects.read(name)).hexdigest()[:SHORT] != PurePosixPath(name).stem:
        return Wrong("this object was changed: its content is not what its name says")
    return None


def read_code(objects: Objects, name: str) -> Wrong | None:
    """None when a feature's code in readable parts is what its own digest says; raises NotStored."""
    try:
        text = objects.read(name)
        code_from(text)
    except (ValueError, KeyError, TypeError):
        return Wrong("this code was changed: its content is not what its digest says")
    return None
