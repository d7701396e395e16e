"""Merging what became small: parts of a type become fewer, larger ones, sorted by title and time.

Parts are merged in tiers: when `FAN` of them are of one size they become one of the next, so a row is copied a few
times only, however many operations there are. Rows that readers of now see and those that only older moments have go to
parts of their own, so that opening a store reads no history.

A merge writes its files first, then adds one entry, which says what takes the place of what. The rows are the same, so
no answer changes, and a merge that was killed leaves files that nothing refers to. Of two that merge the same parts the
second finds them gone and gives up.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.errors import MediamlError
from mediaml_assets.marken.embedded import files
from mediaml_assets.marken.embedded.chain import Chain, as_text
from mediaml_assets.marken.embedded.numbering import Numbering
from mediaml_assets.marken.embedded.picking import places
from mediaml_assets.marken.embedded.state import Entry, Folded, Key, Part

log = logging.getLogger("mediaml")

FAN = 64
"""Parts of one size that are merged, and how much larger the next size is."""
LARGEST = 2_000_000
"""Rows of a merged part, about; memory holds them all at once."""


@dataclass(frozen=True)
class _Held:
    """A part and the operations (scope, number) whose rows it holds."""

    part: Part
    current: frozenset[tuple[str, int]]
    """Active ones."""
    past: frozenset[tuple[str, int]]

    @property
    def is_past(self) -> bool:
        """Whether readers of now need none of its rows."""
        return self.part.until > 0 if self.part.last else not self.current


class Tidying:
    """Merges parts.

    Args:
        chain: of the store.
        numbering: which versions of appended rows are the newest.
    """

    def __init__(self, chain: Chain, numbering: Numbering) -> None:
        self._chain, self._numbering = chain, numbering

    def after(self, key: Key, came: int) -> None:
        """Merge after an entry that brought so many parts, when those made one more `FAN`: one writer in so many.

        The entry stands, so that what goes wrong is logged alone; who fills the size the next time tries again.
        """
        if came:
            try:
                with self._chain.lock:
                    fresh = self._chain.read_on().fresh[key]
                if fresh % FAN < came:
                    self._full(key)
            except (MediamlError, OSError, pa.ArrowException) as error:
                log.warning("annotations of %s@%s in %s were not merged: %s", *key, self._chain.objects.where, error)

    def _full(self, key: Key) -> None:
        """Merge the sizes of a type that have `FAN` parts."""
        while full := [group for group in self._sizes(key).values() if len(group) >= FAN]:
            self._merge(key, full[0])

    def everything(self) -> None:
        """Merge all that can be, write a checkpoint, and remove what has been of no use for long."""
        with self._chain.lock:
            keys = sorted(self._chain.read_on().parts)
        for key in keys:
            for past in (False, True):
                held = [one for one in self._held(key) if one.is_past is past]
                for group in _portions(held):
                    # a part alone has only history to lose
                    if len(group) > 1 or (group[0].current and group[0].past):
                        self._merge(key, group)
        old = self._chain.old()
        self._remove(old)
        self._chain.forget(old)

    def _held(self, key: Key) -> list[_Held]:
        with self._chain.lock:
            state = self._chain.read_on()
            active = {load.place for load in state.actives(key, state.moment).values()}
            holders: dict[str, set[tuple[str, int]]] = defaultdict(set)
            for loads in state.loads.get(key, {}).values():
                for load in loads:
                    for name in load.files:
                        holders[name].add(load.place)
            return [
                _Held(part, frozenset(holders[name] & active), frozenset(holders[name] - active))
                for name, part in state.parts.get(key, {}).items()
            ]

    def _sizes(self, key: Key) -> dict[tuple[bool, int], list[_Held]]:
        found: dict[tuple[bool, int], list[_Held]] = defaultdict(list)
        for one in self._held(key):
            if one.part.rows < LARGEST:
                found[one.is_past, int(np.log(max(one.part.rows, 1)) / np.log(FAN))].append(one)
        return found

    def _merge(self, key: Key, group: Sequence[_Held]) -> None:
        rows = pa.concat_tables(
            [files.read(self._chain.objects, one.part) for one in group], promote_options="default"
        ).combine_chunks()
        made = list(self._log(key, rows) if group[0].part.last else self._operations(group, rows))
        gone = [one.part.name for one in group]
        merged = {"type": key[0], "type_version": key[1], "gone": gone, "made": made}

        def propose(state: Folded) -> Entry | None:
            there = state.parts[key].keys() >= {*gone}
            return {"do": "tidy", "merged": [merged], "removed": []} if there else None

        self._chain.decide(propose)

    def _operations(self, group: Sequence[_Held], rows: pa.Table) -> list[dict[str, Any]]:
        """What becomes of rows of operations."""
        current = frozenset[tuple[str, int]]().union(*(one.current for one in group))
        past = frozenset[tuple[str, int]]().union(*(one.past for one in group))
        mask = np.zeros(rows.num_rows, bool)
        mask[places(rows, current)] = True
        found = []
        for loads, chosen in ((current, mask), (past, ~mask)):
            if chosen.any():
                numbers: dict[str, list[int]] = defaultdict(list)
                for scope, number in sorted(loads):
                    numbers[scope].append(number)
                found.append({"part": self._written(rows.filter(pa.array(chosen))), "loads": numbers})
        return found

    def _log(self, key: Key, rows: pa.Table) -> list[dict[str, Any]]:
        """What becomes of appended rows."""
        with self._chain.lock:
            state = self._chain.read_on()
            seq, newest = state.seq, self._numbering.newest(state, key[0])
            pairs = zip(rows["id"].to_pylist(), rows["version"].to_pylist(), strict=True)
            mask = np.array([newest[one] == version for one, version in pairs])
        found = []
        for until, chosen in ((0, mask), (seq, ~mask)):
            if chosen.any():
                some = rows.filter(pa.array(chosen))
                span = pc.min_max(some[files.SEQ]).as_py()
                part = self._written(some) | {"first": span["min"], "last": span["max"], "until": until}
                found.append({"part": part, "loads": {}})
        return found

    def _written(self, rows: pa.Table) -> dict[str, Any]:
        keys = [name for name in ("title", "time_start") if name in rows.column_names]
        ordered = rows.take(pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in keys]))
        return {"name": files.write(self._chain.objects, files.encode(ordered, merged=True)), "rows": rows.num_rows}

    def _remove(self, old: datetime) -> None:
        """Remove files that nothing has referred to for long: replaced ones, and those of killed writers."""
        with self._chain.lock:
            state = self._chain.read_on()
            replaced = [name for name, since in state.retired.items() if since < as_text(old)]
            known = state.files() | state.retired.keys()
        strays = [one.name for one in self._chain.objects.walk("rows") if one.name not in known and one.modified < old]
        for name in (*replaced, *strays):
            self._chain.objects.remove(name)
        if replaced:
            self._chain.decide(lambda _: {"do": "tidy", "merged": [], "removed": replaced})


def _portions(held: Sequence[_Held]) -> list[list[_Held]]:
    """Parts in groups of about `LARGEST` rows; those that are as large stay alone."""
    found: list[list[_Held]] = []
    rows = LARGEST
    for one in sorted(held, key=lambda one: one.part.rows):
        if rows + one.part.rows > LARGEST:
            found.append([])
            rows = 0
        found[-1].append(one)
        rows += one.part.rows
    return found
