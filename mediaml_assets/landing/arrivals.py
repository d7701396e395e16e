"""What changed in the landing folder, written to the store: the `source` of each title, and the `quarantine`.

The work ends at "this file stands here": no content is read. A title's landing generation counts its deliveries and
withdrawals; values of later stages carry it, so that a slow run on older content never replaces a newer value.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.store import CATALOGUE, Store
from mediaml_assets.errors import InputMoved, NotStored, TitleRefused
from mediaml_assets.landing.bucket import LandedFile, LandingFolder
from mediaml_assets.landing.titles import Title, title_of
from mediaml_assets.settings import home

SOURCE = "source"
QUARANTINE = "quarantine"

SOURCE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("show", pa.string()),
        ("season", pa.int32()),
        ("episode", pa.int32()),
    ]
)
QUARANTINE_SCHEMA = pa.schema([("path", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class SourceFile:
    """Where a title's file lies now; what a feature that opens it reads."""

    path: Path
    size: int
    """Bytes."""
    mtime_ns: int
    title: str

    columns: ClassVar[tuple[str, ...]] = ("path", "size", "mtime_ns")

    @classmethod
    def from_value(cls, view: Any) -> Self:
        """Made from the `source` of a title."""
        row = view.row(cls.columns)
        return cls(home().landing / row["path"], row["size"], row["mtime_ns"], view.title)

    def check_unmoved(self) -> None:
        """Raise InputMoved when the file is not what landed: ask before and after reading it."""
        try:
            stat = self.path.stat()
        except OSError as gone:
            raise InputMoved(f"{self.path} of {self.title} went away while it was read ({gone.strerror})") from gone
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.mtime_ns):
            raise InputMoved(
                f"{self.path} of {self.title} changed while it was read; the next landing tick takes it up"
            )


@dataclass(frozen=True)
class Arrival:
    """One change of a title's source: delivered (again), or withdrawn."""

    title: str
    commit: Commit

    @property
    def data_version(self) -> str:
        """Digest of the source row, or "withdrawn"."""
        return self.commit.current.digest if self.commit.current else "withdrawn"


@dataclass(frozen=True)
class Tick:
    """What one look at the landing folder found."""

    arrivals: list[Arrival]
    quarantine: dict[str, str]
    """Path -> reason, of every file that lies there now and cannot be taken."""
    quarantine_changed: bool
    known: dict[str, list[int]]
    """Path -> [size, mtime_ns] of every file dealt with; give it to the next tick."""
    later: list[str]
    """Files left for the next tick: they did not settle, or the bound on work was met."""


def look(folder: LandingFolder, store: Store, known: Mapping[str, list[int]], limit: int = 200) -> Tick:
    """Compare the folder with what is known, and write at most `limit` deliveries to the store.

    Args:
        folder: the landing folder.
        store: where sources and the quarantine are kept.
        known: what the last tick returned; empty is always right, and costs a store look-up for each file.
        limit: bound on the deliveries of one tick; the next one goes on.
    """
    files = {one.path: one for one in folder.files()}
    titles, quarantine = _titles(folder, store, files.values())
    closed = {one.path for one in files.values() if not one.readable}
    stamps = {path: _stamp(folder, files[path]) for path in titles}
    unchanged = {path for path in titles if known.get(path) == stamps[path]}
    # the oldest first, so that files which keep growing hold nobody up
    changed = sorted((files[path] for path in titles.keys() - unchanged), key=lambda one: (one.mtime_ns, one.path))
    settled = folder.settled(changed[:limit])
    arrivals = [_deliver(store, titles[one.path], one) for one in settled]
    if folder.is_there() and (not known or known.keys() - unchanged):
        slugs = {title.slug for title in titles.values()}
        gone = [head for head in _sources(store) if head.current and head.scope not in slugs]
        arrivals += [_withdraw(store, head) for head in gone if not _is_below(_current_path(store, head.scope), closed)]
    dealt_with = {one.path for one in settled} | unchanged
    # what could not be dealt with stays known as it was, so that its going away would be noticed
    stood = {path: stamp for path, stamp in known.items() if path in titles or _is_below(path, closed)}
    return Tick(
        arrivals=arrivals,
        quarantine=quarantine,
        quarantine_changed=_write_quarantine(store, quarantine),
        known=stood | {path: stamps[path] for path in dealt_with},
        later=[one.path for one in changed if one.path not in dealt_with],
    )


def _is_below(path: str | None, closed: Set[str]) -> bool:
    """Whether a file lies in a folder that may not be listed: what cannot be seen is not gone."""
    return path is not None and any(str(folder) in closed for folder in PurePosixPath(path).parents)


def _stamp(folder: LandingFolder, file: LandedFile) -> list[int]:
    return [file.size, file.mtime_ns, folder.sidecar_mtime_ns(file.path)]


def _titles(
    folder: LandingFolder, store: Store, files: Iterable[LandedFile]
) -> tuple[dict[str, Title], dict[str, str]]:
    """Path -> title of every file that can be taken, and path -> reason of the others."""
    claims: dict[str, dict[str, Title]] = {}
    quarantine: dict[str, str] = {}
    for file in files:
        try:
            title = _title(folder, file)
        except TitleRefused as refusal:
            quarantine[_printable(file.path)] = str(refusal)
        else:
            claims.setdefault(title.slug, {})[file.path] = title
    titles: dict[str, Title] = {}
    for slug, claimed in claims.items():
        holder = _holder(store, slug, list(claimed))
        titles[holder] = claimed.pop(holder)
        quarantine |= {loser: _taken(slug, holder, loser) for loser in claimed}
    return titles, quarantine


def _holder(store: Store, slug: str, paths: list[str]) -> str:
    """Of the files with one slug the one that was there before stays, else the first by name."""
    current = _current_path(store, slug) if len(paths) > 1 else None
    return current if current in paths else paths[0]


def _taken(slug: str, holder: str, loser: str) -> str:
    return (
        f"{loser!r} and {holder!r} both give the title {slug!r}; {holder!r} keeps it. Rename or remove "
        f'{loser!r}, or give it a title of its own in a sidecar "{Path(loser).name}.title.json"'
    )


def _printable(path: str) -> str:
    """A path that can be stored as text and shown on one line, whatever bytes the file's name is made of."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def _title(folder: LandingFolder, file: LandedFile) -> Title:
    if not file.path.isprintable():
        raise TitleRefused(f"{file.path!r} has a name that is not printable text in UTF-8; rename it")
    if not file.readable:
        raise TitleRefused(f"{file.path!r} cannot be read: permission denied. Give the service read permission (chmod)")
    return title_of(file.path, folder.sidecar(file.path))


def _current_path(store: Store, slug: str) -> str | None:
    try:
        view = store.view(SOURCE, slug)
    except NotStored:
        return None
    return None if view.withdrawn else str(view.row(["path"])["path"])


def _sources(store: Store) -> list[Commit]:
    heads = (store.ledger.head(SOURCE, slug) for slug in store.ledger.scopes(SOURCE))
    return [head for head in heads if head is not None]


def _deliver(store: Store, title: Title, file: LandedFile) -> Arrival:
    row = {
        "path": file.path,
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "show": title.show,
        "season": title.season,
        "episode": title.episode,
    }
    rows = pa.Table.from_pylist([row], schema=SOURCE_SCHEMA)
    return Arrival(title.slug, _written(store, SOURCE, title.slug, rows))


def _withdraw(store: Store, head: Commit) -> Arrival:
    return Arrival(head.scope, _commit(store, SOURCE, head.scope, "withdrawn", None))


def _write_quarantine(store: Store, quarantine: Mapping[str, str]) -> bool:
    """Keep the list of refused files as a value of its own; True when it changed."""
    rows = [{"path": path, "reason": reason} for path, reason in sorted(quarantine.items())]
    before = store.ledger.head(QUARANTINE, CATALOGUE)
    if before is None and not rows:
        return False
    after = _written(store, QUARANTINE, CATALOGUE, pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA))
    return before is None or after.seq != before.seq


def _written(store: Store, feature: str, scope: str, rows: pa.Table) -> Commit:
    """The commit at which these rows are current; what already stands there is not written again."""
    columns = column_digests(rows)
    head = store.ledger.head(feature, scope)
    if head is not None and head.current is not None and head.current.digest == rows_digest(columns):
        return head
    value = store.write_rows(feature, rows, rows_digest(columns), columns)
    return _commit(store, feature, scope, "computed", value)


def _commit(store: Store, feature: str, scope: str, event: Event, value: Value | None) -> Commit:
    """Append to a chain that landing writes itself."""
    while True:
        head = store.ledger.head(feature, scope)
        if head is not None and head.current == value:
            return head
        row = Commit(
            feature=feature,
            scope=scope,
            event=event,
            value=value,
            current=value,
            key=value.key if value else "",
            generation=head.generation + 1 if head else 1,
            made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            who="landing",
        )
        written = store.ledger.append(row, head)
        if written is not None:
            return written
