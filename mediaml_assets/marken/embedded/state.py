"""What the chain of entries says: operations, where their rows lie, and which moments there were.

A state is folded entry by entry, and nothing that it says is ever forgotten: what was active at any older moment
follows from the newest state alone.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mediaml_assets.marken.operation import Operation, State

Key = tuple[str, int]
"""Type and its version."""
Entry = Mapping[str, Any]
"""One transition: `do` says which; see `Folded.apply`."""


@dataclass
class Load:
    """An operation as the chain knows it."""

    type: str
    type_version: int
    scope: str
    number: int
    by: str
    began: str
    """UTC, ISO 8601."""
    source: dict[str, str] = field(default_factory=dict)
    batches: list[tuple[str, int]] = field(default_factory=list)
    """File and count of rows of each batch, in order, until it ends."""
    files: list[str] = field(default_factory=list)
    """Parts that hold its rows, once it is finished."""
    rows: int = 0
    finished: int = 0
    """The entry that finished it; 0 for none."""
    withdrawn: int = 0
    """The entry that canceled it or rolled it back; 0 for none."""
    ended: str = ""

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.withdrawn:
            return State.ROLLED_BACK if self.finished else State.CANCELED
        return State.FINISHED if self.finished else State.STARTED

    @property
    def place(self) -> tuple[str, int]:
        """Scope and number: what its rows carry as `scope` and `version`."""
        return self.scope, self.number

    def seen_at(self, moment: int) -> bool:
        """Whether it was finished and not withdrawn at a moment."""
        return 0 < self.finished <= moment and not 0 < self.withdrawn <= moment

    def operation(self) -> Operation:
        """As everybody else knows it."""
        ended = datetime.fromisoformat(self.ended) if self.ended else None
        began = datetime.fromisoformat(self.began)
        key = self.type, self.type_version, self.scope
        return Operation(*key, self.number, self.state, self.by, began, ended, self.rows, self.source)


@dataclass(frozen=True)
class Part:
    """Rows that lie together: a file, or what an entry holds itself. Rows of operations: of finished ones only."""

    name: str
    """The object; of rows inside an entry `entry/<seq>`."""
    rows: int
    first: int = 0
    """Log mode: the entries that its rows came with, from this one on ..."""
    last: int = 0
    """... to this one."""
    until: int = 0
    """Log mode: at moments from here on none of its rows is current; 0 for never."""
    versions: tuple[int, ...] = ()
    """Log mode: of its rows, where the rows themselves do not say it."""
    inline: str = ""
    """The rows, when they are inside the entry."""


@dataclass(frozen=True)
class Change:
    """What made a moment: the entry, when, and which rows came or went; an empty scope: rows that were appended."""

    seq: int
    at: str
    type: str
    type_version: int
    scope: str = ""


@dataclass
class Folded:
    """All entries of the chain up to `seq`, folded."""

    seq: int = 0
    at: str = ""
    """Of the newest entry; never before that of an older one, whatever the writers' clocks say."""
    loads: dict[Key, dict[str, list[Load]]] = field(default_factory=dict)
    """Key -> scope -> operations by number."""
    parts: dict[Key, dict[str, Part]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    fresh: dict[Key, int] = field(default_factory=dict)
    """Parts that came since the first one, ever; counts up, so that one writer in so many tidies."""
    retired: dict[str, str] = field(default_factory=dict)
    """Files that nothing refers to any more -> since when."""

    @property
    def moment(self) -> int:
        """The newest entry that changed what readers see."""
        return self.changes[-1].seq if self.changes else 0

    def moment_at(self, seq: int) -> int:
        """The last entry up to `seq` that changed what readers see."""
        return self._last(bisect_right(self.changes, seq, key=lambda one: one.seq))

    def moment_of(self, time: str) -> int:
        """The last entry up to a time that changed what readers see."""
        return self._last(bisect_right(self.changes, time, key=lambda one: one.at))

    def _last(self, count: int) -> int:
        return self.changes[count - 1].seq if count else 0

    def changed(self, after: int, moment: int) -> list[Change]:
        """What changed in (after, moment]."""
        low, high = (bisect_right(self.changes, seq, key=lambda one: one.seq) for seq in (after, moment))
        return self.changes[low:high]

    def load(self, key: Key, scope: str, number: int) -> Load | None:
        """An operation; None when it was never started."""
        known = self.loads.get(key, {}).get(scope, [])
        return known[number - 1] if 0 < number <= len(known) else None

    def all_loads(self) -> Iterator[Load]:
        """Every operation, by type, version, scope and number."""
        for key in sorted(self.loads):
            for scope in sorted(self.loads[key]):
                yield from self.loads[key][scope]

    def active(self, key: Key, scope: str, moment: int) -> Load | None:
        """What readers saw of a scope at a moment: of those finished and not withdrawn the last to finish."""
        seen = (one for one in self.loads.get(key, {}).get(scope, ()) if one.seen_at(moment))
        return max(seen, key=lambda one: one.finished, default=None)

    def actives(self, key: Key, moment: int) -> dict[str, Load]:
        """Scope -> what readers saw of it."""
        found = ((scope, self.active(key, scope, moment)) for scope in self.loads.get(key, {}))
        return {scope: load for scope, load in found if load is not None}

    def is_log(self, key: Key) -> bool:
        """Whether its rows were appended."""
        return key in self.parts and key not in self.loads

    def files(self) -> set[str]:
        """Every file that something refers to."""
        started = (name for one in self.all_loads() if one.state is State.STARTED for name, _ in one.batches)
        return {part.name for parts in self.parts.values() for part in parts.values() if not part.inline} | {*started}

    def apply(self, seq: int, entry: Entry) -> None:
        """Fold the next entry into the state."""
        self.seq, self.at = seq, entry["at"]
        match entry["do"]:
            case "start":
                load = Load(*_place(entry), entry["by"], self.at, entry["source"])
                self.loads.setdefault(_key(entry), {}).setdefault(load.scope, []).append(load)
            case "batch":
                self._named(entry).batches.append((entry["file"], entry["rows"]))
            case "finish":
                self._finish(entry)
            case "cancel" | "roll_back" as verb:
                load = self._named(entry)
                load.withdrawn, load.ended = seq, self.at
                if verb == "cancel":
                    self._retire(name for name, _ in load.batches)
                    load.batches = []
                else:
                    self._changed(entry)
            case "append":
                one = entry["part"]
                part = Part(one.get("name", f"entry/{seq}"), one["rows"], seq, seq, 0, tuple(one["versions"]))
                self._add(_key(entry), [Part(**{**vars(part), "inline": one.get("inline", "")})])
                self._changed(entry)
            case "tidy":
                for merge in entry["merged"]:
                    self._merge(merge)
                for name in entry["removed"]:
                    self.retired.pop(name, None)

    def _finish(self, entry: Entry) -> None:
        load = self._named(entry)
        parts = [Part(name, rows) for name, rows in entry["files"]]
        load.files, load.rows = [one.name for one in parts], sum(one.rows for one in parts)
        load.finished, load.ended = self.seq, self.at
        self._add(_key(entry), parts)
        self._retire({name for name, _ in load.batches} - {*load.files})
        load.batches = []
        self._changed(entry)

    def _merge(self, merge: Entry) -> None:
        key, gone = _key(merge), {*merge["gone"]}
        parts = self.parts[key]
        for name in gone:
            if not parts.pop(name).inline:
                self._retire([name])
        for document in merge["made"]:
            part = Part(**document["part"])
            parts[part.name] = part
            for scope, numbers in document["loads"].items():
                for number in numbers:
                    load = self.loads[key][scope][number - 1]
                    load.files = [name for name in load.files if name not in gone] + [part.name]

    def _named(self, entry: Entry) -> Load:
        place: str = entry["scope"]
        return self.loads[_key(entry)][place][int(entry["number"]) - 1]

    def _add(self, key: Key, parts: Collection[Part]) -> None:
        self.parts.setdefault(key, {}).update({one.name: one for one in parts})
        self.fresh[key] = self.fresh.get(key, 0) + len(parts)

    def _retire(self, names: Collection[str] | Iterator[str]) -> None:
        self.retired |= dict.fromkeys(names, self.at)

    def _changed(self, entry: Entry) -> None:
        self.changes.append(Change(self.seq, self.at, *_key(entry), entry.get("scope", "")))


def _key(entry: Entry) -> Key:
    return entry["type"], entry["type_version"]


def _place(entry: Entry) -> tuple[str, int, str, int]:
    return *_key(entry), entry["scope"], entry["number"]
