"""What writers do: each verb looks at the operation where the chain stands, writes its rows, and adds one entry."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.errors import OperationRefused
from mediaml_assets.marken.embedded import files
from mediaml_assets.marken.embedded.chain import Chain
from mediaml_assets.marken.embedded.numbering import Numbering
from mediaml_assets.marken.embedded.state import Entry, Folded, Key, Load, Part
from mediaml_assets.marken.operation import Operation, State
from mediaml_assets.marken.rows import last_of_each_id, last_places, with_versions
from mediaml_assets.marken.schema import AnnotationType

_HINT = {
    State.STARTED: "finish or cancel it",
    State.FINISHED: "start another one, or roll it back",
    State.CANCELED: "start another one",
    State.ROLLED_BACK: "start another one",
}


def known(state: Folded, key: Key, scope: str, number: int) -> Load:
    """An operation by its place; raises OperationRefused when it was never started."""
    load = state.load(key, scope, number)
    if load is None:
        raise OperationRefused(f"there is no operation {number} of {key[0]}@{key[1]} of {scope}: start one")
    return load


def start(chain: Chain, kind: AnnotationType, scope: str, by: str, source: dict[str, str]) -> Operation:
    """Add the next operation of a type and scope."""
    key = kind.name, kind.version
    number = 0

    def propose(state: Folded) -> Entry:
        nonlocal number
        number = 1 + len(state.loads.get(key, {}).get(scope, ()))
        return {"do": "start", **_place(key, scope, number), "by": by, "source": source}

    with chain.lock:
        return known(chain.decide(propose), key, scope, number).operation()


def upsert(chain: Chain, operation: Operation, rows: pa.Table) -> None:
    """Add a batch to a started operation; the batch just added is not added again."""
    _in(chain.read_on(), operation, State.STARTED)
    if rows.num_rows == 0:
        return
    if pc.unique(rows["scope"]).to_pylist() != [operation.scope]:
        raise OperationRefused(
            f"operation {operation.number} of {operation.type} of {operation.scope} was given rows of another scope: "
            "start an operation for each scope"
        )
    rows = last_of_each_id(rows)
    encoded = files.encode(with_versions(rows, [operation.number] * rows.num_rows))
    digest = files.digest(encoded)
    name = ""

    def propose(state: Folded) -> Entry | None:
        nonlocal name
        load = _in(state, operation, State.STARTED)
        if load.batches and files.digest_of(load.batches[-1][0]) == digest:
            return None
        name = name or files.write(chain.objects, encoded)
        return {"do": "batch", **_named(operation), "file": name, "rows": rows.num_rows}

    chain.decide(propose)


def finish(chain: Chain, operation: Operation) -> tuple[Operation, int]:
    """Make a started operation what readers see; also returns how many parts that added."""
    done: tuple[list[tuple[str, int]], list[tuple[str, int]]] | None = None

    def propose(state: Folded) -> Entry | None:
        nonlocal done
        load = _known(state, operation)
        if load.state is State.FINISHED:
            return None
        _in(state, operation, State.STARTED)
        if done is None or done[0] != load.batches:
            done = list(load.batches), _settled(chain, load.batches)
        return {"do": "finish", **_named(operation), "files": done[1]}

    with chain.lock:
        finished = _known(chain.decide(propose), operation).operation()
    return finished, len(done[1]) if done else 0


def end(chain: Chain, operation: Operation, verb: Literal["cancel", "roll_back"]) -> Operation:
    """Give up a started operation, or withdraw a finished one."""
    needed, reached = {
        "cancel": (State.STARTED, State.CANCELED),
        "roll_back": (State.FINISHED, State.ROLLED_BACK),
    }[verb]

    def propose(state: Folded) -> Entry | None:
        if _known(state, operation).state is reached:
            return None
        _in(state, operation, needed)
        return {"do": verb, **_named(operation)}

    with chain.lock:
        return _known(chain.decide(propose), operation).operation()


def append(chain: Chain, numbering: Numbering, kind: AnnotationType, rows: pa.Table) -> pa.Table:
    """Add rows to a log, each as the next version of its id; returns them with their versions."""
    text = files.pack(rows) if rows.num_rows <= files.FEW else ""
    small = 0 < len(text) <= files.INLINE
    where = {"inline": text} if small else {"name": files.write(chain.objects, files.encode(rows))}
    versions: list[int] = []

    def propose(state: Folded) -> Entry:
        nonlocal versions
        versions = numbering.next(state, kind.name, rows["id"].to_pylist())
        part = {"rows": rows.num_rows, "versions": versions, **where}
        return {"do": "append", "type": kind.name, "type_version": kind.version, "part": part}

    chain.decide(propose)
    return with_versions(rows, versions)


def _settled(chain: Chain, batches: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Files, with their counts of rows, that hold the last row of each id of some batches, in order."""
    if len(batches) < 2:
        return list(batches)
    ids = [files.read(chain.objects, Part(*one), ["id"])["id"] for one in batches]
    kept = np.zeros(sum(rows for _, rows in batches), bool)
    kept[last_places(pa.chunked_array([chunk for one in ids for chunk in one.chunks]))] = True
    found = []
    for one, mask in zip(batches, np.split(kept, np.cumsum([rows for _, rows in batches])[:-1]), strict=True):
        if mask.all():
            found.append(one)
        elif mask.any():
            left = files.read(chain.objects, Part(*one)).filter(pa.array(mask))
            found.append((files.write(chain.objects, files.encode(left)), left.num_rows))
    return found


def _known(state: Folded, operation: Operation) -> Load:
    return known(state, (operation.type, operation.type_version), operation.scope, operation.number)


def _in(state: Folded, operation: Operation, wanted: State) -> Load:
    """An operation that must be in a state; raises OperationRefused."""
    load = _known(state, operation)
    if load.state is not wanted:
        place = f"operation {load.number} of {load.type}@{load.type_version} of {load.scope}"
        raise OperationRefused(f"{place} is {load.state}, not {wanted}: {_HINT[load.state]}")
    return load


def _named(operation: Operation) -> dict[str, object]:
    return _place((operation.type, operation.type_version), operation.scope, operation.number)


def _place(key: Key, scope: str, number: int) -> dict[str, object]:
    return {"type": key[0], "type_version": key[1], "scope": scope, "number": number}
