"""What changed at the landing place, written to the store: the `source` of each title, and the `quarantine`.

The work ends at "this file stands here": no content is read. A title's landing generation counts its deliveries and
withdrawals; values of later stages carry it, so that a slow run on older content never replaces a newer value.
"""

from collections.abc import Container, Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

import pyarrow as pa

from mediaml_assets.amber.keys import column_digests, rows_digest
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.errors import Damaged, NotStored, TitleRefused
from mediaml_assets.landing.files import LandedFile, Landing, sidecar_of
from mediaml_assets.landing.shows import follow
from mediaml_assets.landing.titles import Title, title_of

SOURCE = "source"
QUARANTINE = "quarantine"

SOURCE_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("size", pa.int64()),
        ("stamp", pa.string()),
        ("show", pa.string()),
        ("season", pa.int32()),
        ("episode", pa.int32()),
    ]
)
QUARANTINE_SCHEMA = pa.schema([("path", pa.string()), ("reason", pa.string())])


@dataclass(frozen=True)
class Arrival:
    """One change of a title's source: delivered (again), or withdrawn."""

    title: str
    commit: Commit

    @property
    def data_version(self) -> str:
        """Digest of the source row, or "withdrawn"."""
        return self.commit.current.digest if self.commit.current else "withdrawn"


Known = dict[str, list[int | str]]
"""Path -> [size, stamp, stamp of the sidecar]; the stamps are times of writing in a folder, ETags on a bucket."""


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
    titles, quarantine = _titles(landing, store, files.values(), known)
    closed = {one.path for one in files.values() if one.refusal}
    stamps = {path: _stamps(files[path]) for path in titles}
    unchanged = {path for path in titles if known.get(path) == stamps[path]}
    # the oldest first, so that files which keep growing hold nobody up
    changed = sorted((files[path] for path in titles.keys() - unchanged), key=lambda one: (one.modified_ns, one.path))
    settled = landing.settled(changed[:limit])
    delivered = {one.path: _deliver(store, titles[one.path], one) for one in settled}
    arrivals = [one for one in delivered.values() if one is not None]
    unread = False
    if landing.is_there() and (not known or known.keys() - unchanged):
        withdrawn, unread = _withdraw_all_but(store, {title.slug for title in titles.values()}, closed)
        arrivals += withdrawn
    dealt_with = {path for path, one in delivered.items() if one is not None} | unchanged
    # what could not be dealt with stays known as it was, so that its going away would be noticed
    stood = {path: stamp for path, stamp in known.items() if path in titles or unread or _is_below(path, closed)}
    return Tick(
        arrivals=arrivals,
        quarantine=quarantine,
        quarantine_changed=_write_quarantine(store, quarantine),
        known=stood | {path: stamps[path] for path in dealt_with},
        later=[one.path for one in changed if one.path not in dealt_with],
        shows=follow(store, SOURCE, [one.title for one in arrivals]),
    )


def _is_below(path: str | None, closed: Set[str]) -> bool:
    """Whether a file lies in a folder that may not be listed: what cannot be seen is not gone."""
    return path is not None and any(str(folder) in closed for folder in PurePosixPath(path).parents)


def _stamps(file: LandedFile) -> list[int | str]:
    return [file.size, file.stamp, file.sidecar]


def _titles(
    landing: Landing, store: Store, files: Iterable[LandedFile], known: Container[str]
) -> tuple[dict[str, Title], dict[str, str]]:
    """Path -> title of every file that can be taken, and path -> reason of the others."""
    claims: dict[str, dict[str, Title]] = {}
    quarantine: dict[str, str] = {}
    for file in files:
        try:
            title = _title(landing, file)
        except TitleRefused as refusal:
            quarantine[_printable(file.path)] = str(refusal)
        else:
            claims.setdefault(title.slug, {})[file.path] = title
    titles: dict[str, Title] = {}
    for slug, claimed in claims.items():
        holder = _holder(store, slug, list(claimed), known)
        titles[holder] = claimed.pop(holder)
        quarantine |= {loser: _taken(slug, holder, loser) for loser in claimed}
    return titles, quarantine


def _holder(store: Store, slug: str, paths: list[str], known: Container[str]) -> str:
    """Of the files with one slug the one that was there before stays, else the first by name."""
    try:
        current = _current_path(store, slug) if len(paths) > 1 else None
    except Damaged as damage:
        say_damaged(SOURCE, slug, damage)
        # of the others none was ever dealt with
        current = next((path for path in paths if path in known), None)
    return current if current in paths else paths[0]


def _taken(slug: str, holder: str, loser: str) -> str:
    return (
        f"{loser!r} and {holder!r} both give the title {slug!r}; {holder!r} keeps it. Rename or remove "
        f'{loser!r}, or give it a title of its own in a sidecar "{sidecar_of(PurePosixPath(loser).name)}"'
    )


def _printable(path: str) -> str:
    """A path that can be stored as text and shown on one line, whatever bytes the file's name is made of."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def _title(landing: Landing, file: LandedFile) -> Title:
    if not file.path.isprintable():
        raise TitleRefused(f"{file.path!r} has a name that is not printable text in UTF-8; rename it")
    if file.refusal:
        raise TitleRefused(f"{file.path!r} {file.refusal}")
    return title_of(file.path, landing.sidecar(file) if file.sidecar else None)


def _current_path(store: Store, slug: str) -> str | None:
    try:
        view = store.view(SOURCE, slug)
    except NotStored:
        return None
    return None if view.withdrawn else str(view.row(["path"])["path"])


def _withdraw_all_but(store: Store, slugs: Set[str], closed: Set[str]) -> tuple[list[Arrival], bool]:
    """Withdraw the titles that no longer lie there; True when of some that cannot be told: their source is damaged."""
    withdrawn, unread = [], False
    for slug in store.ledger.scopes(SOURCE):
        if slug in slugs:
            continue
        try:
            head = store.ledger.head(SOURCE, slug)
            if head is None or head.current is None or (closed and _is_below(_current_path(store, slug), closed)):
                continue
            withdrawn.append(Arrival(slug, _commit(store, SOURCE, slug, "withdrawn", None)))
        except Damaged as damage:
            say_damaged(SOURCE, slug, damage)
            unread = True
    return withdrawn, unread


def _deliver(store: Store, title: Title, file: LandedFile) -> Arrival | None:
    """Make a file the source of its title; None when what the store has of that is damaged."""
    row = {
        "path": file.path,
        "size": file.size,
        "stamp": file.stamp,
        "show": title.show,
        "season": title.season,
        "episode": title.episode,
    }
    rows = pa.Table.from_pylist([row], schema=SOURCE_SCHEMA)
    try:
        return Arrival(title.slug, _written(store, SOURCE, title.slug, rows))
    except Damaged as damage:
        say_damaged(SOURCE, title.slug, damage)
        return None


def _write_quarantine(store: Store, quarantine: Mapping[str, str]) -> bool:
    """Keep the list of refused files as a value of its own; True when it changed."""
    rows = [{"path": path, "reason": reason} for path, reason in sorted(quarantine.items())]
    try:
        before = store.ledger.head(QUARANTINE, CATALOGUE)
        if before is None and not rows:
            return False
        after = _written(store, QUARANTINE, CATALOGUE, pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA))
    except Damaged as damage:
        say_damaged(QUARANTINE, CATALOGUE, damage)
        return False
    return before is None or after.seq != before.seq


def _written(store: Store, feature: str, scope: str, rows: pa.Table) -> Commit:
    """The commit at which these rows are current; what already stands there is not written again."""
    columns = column_digests(rows)
    head = store.ledger.head(feature, scope)
    if head is not None and head.current is not None and head.current.digest == rows_digest(columns):
        return head
    value = store.write_rows(feature, rows, rows_digest(columns), columns)
    commit = _commit(store, feature, scope, "computed", value)
    store.make_sure(feature, value, rows)
    return commit


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
