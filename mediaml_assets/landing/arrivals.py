"""What changed at the landing place, written to the store: what each title has there, and the `quarantine`.

The work ends at "these files stand here": no content is read. A title's landing generation counts its deliveries and
withdrawals; values of later stages carry it, so that a slow run on older content never replaces a newer value.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.ledger import Commit
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged
from mediaml_assets.landing.chains import current_paths, withdrawn, written
from mediaml_assets.landing.companions import Companion
from mediaml_assets.landing.files import LandedFile, Landing, is_picture
from mediaml_assets.landing.shows import follow
from mediaml_assets.landing.sorting import Sorted, sort_out
from mediaml_assets.landing.titles import Title

SOURCE = "source"
ARTWORK_FILES = "artwork_files"
TEXT_FILES = "text_files"
LANDED = (SOURCE, ARTWORK_FILES, TEXT_FILES)
"""What landing writes of a title: its film, its artwork, its subtitles and scripts; a title has any of them."""

QUARANTINE = "quarantine"

_FILE = [("path", pa.string()), ("size", pa.int64()), ("stamp", pa.string())]
SOURCE_SCHEMA = pa.schema([*_FILE, ("show", pa.string()), ("season", pa.int32()), ("episode", pa.int32())])
COMPANION_SCHEMA = pa.schema([*_FILE, ("kind", pa.string()), ("label", pa.string()), ("language", pa.string())])
"""One row a file, by path; what its name says is described in `companions`."""
QUARANTINE_SCHEMA = pa.schema([("path", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class Arrival:
    """One change of what landed of a title: its film, artwork or texts; delivered (again), or withdrawn."""

    title: str
    commit: Commit

    @property
    def feature(self) -> str:
        """Which of `LANDED` changed."""
        return self.commit.feature

    @property
    def data_version(self) -> str:
        """Digest of the rows, or "withdrawn"."""
        return self.commit.current.digest if self.commit.current else "withdrawn"


Known = dict[str, list[int | str]]
"""Path -> [size, stamp, stamp of the sidecar], and of artwork and texts [title, kind, label, language], which the films
beside them decide too; the stamps are times of writing in a folder, ETags on a bucket."""


@dataclass(frozen=True)
class Tick:
    """What one look at the landing place found."""

    arrivals: list[Arrival]
    quarantine: dict[str, str]
    """Path -> reason, of every file that lies there now and cannot be taken."""
    quarantine_changed: bool
    known: Known
    """What every file dealt with was; give it to the next tick."""
    later: list[str]
    """Files left for the next tick: they did not settle, the bound on work was met, or their source is damaged."""
    shows: list[Commit] = field(default_factory=list)
    """Shows whose titles changed."""


@dataclass(frozen=True)
class _Delivery:
    """All that lies there of one value of a title: its film, or every file of its artwork or texts."""

    feature: str
    title: str
    files: tuple[LandedFile, ...]
    rows: list[dict[str, Any]]
    """One for each of the files."""

    @property
    def age(self) -> tuple[int, str]:
        """When the youngest of the files was written."""
        return max(one.modified_ns for one in self.files), self.files[0].path


def look(landing: Landing, store: Store, known: Mapping[str, list[int | str]], limit: int = 200) -> Tick:
    """Compare the landing place with what is known, and write at most `limit` deliveries to the store.

    A title whose source is damaged in the store stays as it is until it is repaired: the log names it, others go on.

    Args:
        landing: the landing folder or bucket.
        store: where sources and the quarantine are kept.
        known: what the last tick returned; empty is always right, and costs a store look-up for each file.
        limit: bound on the deliveries of one tick; the next one goes on.

    Raises:
        Unreachable: the bucket does not answer; nothing was written.
    """
    files = {one.path: one for one in landing.files()}
    found = sort_out(landing, store, SOURCE, files.values(), known)
    closed = {one.path for one in files.values() if one.refusal}
    deliveries = list(_deliveries(files, found))
    stamps = {path: _stamps(files[path], found) for path in (*found.films, *found.companions)}
    # a file that went, or that is said to be another now, changes the title that it belonged to
    left = {_left(path, stamp) for path, stamp in known.items() if stamps.get(path, [])[3:] != stamp[3:]}
    changed = [
        one
        for one in deliveries
        if (one.feature, one.title) in left or any(known.get(file.path) != stamps[file.path] for file in one.files)
    ]
    unchanged = stamps.keys() - {file.path for one in changed for file in one.files}
    # the oldest first, so that files which keep growing hold nobody up
    turn = sorted(changed, key=lambda one: one.age)[:limit]
    settled = {file.path for file in landing.settled([file for one in turn for file in one.files])}
    whole = [one for one in turn if settled.issuperset(file.path for file in one.files)]
    delivered = [(one, _deliver(store, one, closed)) for one in whole]
    arrivals = [arrival for _, arrival in delivered if arrival is not None]
    unread = False
    if landing.is_there() and (not known or known.keys() - unchanged):
        for feature in LANDED:
            titles = {one.title for one in deliveries if one.feature == feature}
            gone, damaged = _withdraw_all_but(store, feature, titles, closed)
            arrivals, unread = arrivals + gone, unread or damaged
    dealt_with = unchanged | {file.path for one, arrival in delivered if arrival is not None for file in one.files}
    # what could not be dealt with stays known as it was, so that its going away would be noticed
    stood = {path: stamp for path, stamp in known.items() if path in stamps or unread or _is_below(path, closed)}
    # what waits is looked at again, even where a file that went was all that changed; and its going away is noticed
    waiting: Known = {
        file.path: [-1, *stamps[file.path][1:]] for one in changed for file in one.files if file.path not in dealt_with
    }
    return Tick(
        arrivals=arrivals,
        quarantine=found.quarantine,
        quarantine_changed=_write_quarantine(store, found.quarantine),
        known=stood | waiting | {path: stamps[path] for path in dealt_with},
        later=[file.path for one in changed for file in one.files if file.path not in dealt_with],
        shows=follow(store, SOURCE, [one.title for one in arrivals if one.feature == SOURCE]),
    )


def _deliveries(files: Mapping[str, LandedFile], found: Sorted) -> Iterator[_Delivery]:
    """Everything that lies there, by title."""
    for path, title in found.films.items():
        yield _Delivery(SOURCE, title.slug, (files[path],), [_source_row(files[path], title)])
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for path, companion in found.companions.items():
        groups[_feature(path), companion.title].append(path)
    for (feature, slug), paths in groups.items():
        rows = [_companion_row(files[path], found.companions[path]) for path in paths]
        yield _Delivery(feature, slug, tuple(files[path] for path in paths), rows)


def _feature(path: str) -> str:
    return ARTWORK_FILES if is_picture(path) else TEXT_FILES


def _left(path: str, stamp: list[int | str]) -> tuple[str, str]:
    """Which value a file belonged to; of a film none that holds others."""
    return (_feature(path), str(stamp[3])) if stamp[3:] else (SOURCE, "")


def _is_below(path: str, closed: Set[str]) -> bool:
    """Whether a file lies in a folder that may not be listed: what cannot be seen is not gone."""
    return any(str(folder) in closed for folder in PurePosixPath(path).parents)


def _stamps(file: LandedFile, found: Sorted) -> list[int | str]:
    one = found.companions.get(file.path)
    said = [] if one is None else [one.title, one.kind, one.label, one.language or ""]
    return [file.size, file.stamp, file.sidecar, *said]


def _withdraw_all_but(store: Store, feature: str, titles: Set[str], closed: Set[str]) -> tuple[list[Arrival], bool]:
    """Withdraw what no longer lies there; True when of some titles that cannot be told: their source is damaged."""
    gone, unread = [], False
    for title in store.ledger.scopes(feature):
        if title in titles:
            continue
        try:
            head = store.ledger.head(feature, title)
            if head is None or head.current is None or _is_hidden(store, feature, title, closed):
                continue
            gone.append(Arrival(title, withdrawn(store, feature, title, LANDED)))
        except Damaged as damage:
            say_damaged(feature, title, damage)
            unread = True
    return gone, unread


def _is_hidden(store: Store, feature: str, title: str, closed: Set[str]) -> bool:
    """Whether some of what a title has lies where it cannot be seen now."""
    return bool(closed) and any(_is_below(path, closed) for path in current_paths(store, feature, title))


def _deliver(store: Store, one: _Delivery, closed: Set[str]) -> Arrival | None:
    """Make files what a title has; None when what the store has of that is damaged, or cannot be seen now."""
    schema = SOURCE_SCHEMA if one.feature == SOURCE else COMPANION_SCHEMA
    try:
        if one.feature != SOURCE and _is_hidden(store, one.feature, one.title, closed):
            return None
        rows = pa.Table.from_pylist(one.rows, schema=schema)
        return Arrival(one.title, written(store, one.feature, one.title, rows, LANDED))
    except Damaged as damage:
        say_damaged(one.feature, one.title, damage)
        return None


def _file_row(file: LandedFile) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "stamp": file.stamp}


def _source_row(file: LandedFile, title: Title) -> dict[str, Any]:
    return {**_file_row(file), "show": title.show, "season": title.season, "episode": title.episode}


def _companion_row(file: LandedFile, said: Companion) -> dict[str, Any]:
    return {**_file_row(file), "kind": said.kind, "label": said.label, "language": said.language}


def _write_quarantine(store: Store, quarantine: Mapping[str, str]) -> bool:
    """Keep the list of refused files as a value of its own; True when it changed."""
    rows = [{"path": path, "reason": reason} for path, reason in sorted(quarantine.items())]
    try:
        before = store.ledger.head(QUARANTINE, CATALOGUE)
        if before is None and not rows:
            return False
        after = written(store, QUARANTINE, CATALOGUE, pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA))
    except Damaged as damage:
        say_damaged(QUARANTINE, CATALOGUE, damage)
        return False
    return before is None or after.seq != before.seq
