"""Compaction: many small ledger rows become one Parquet file a feature, beside readers and writers, under kill.

    1  read the newest fold, list the rows that are no fold, read those that follow it, check that each follows the last
    2  create the next fold, which holds all of them; who finds it there already was second, and stops
    3  remove the rows that it holds, all but the newest of each chapter, and their witnesses
    4  remove older folds but the one before, which readers may still have open

Killed anywhere, everything is there still: in step 3 a row lies twice or in the fold. The next compaction goes on with
steps 3 and 4.

Two at once: the second to create fold n + 1 is refused. One that slept since step 1 while n + 1 came and went finds a
larger number beside its own: it removes its own and stops. Until then nothing was removed by it.

A writer or reader meanwhile: see `ledger`. A chain in which a row is missing or does not follow the one before it is
left as it is: compaction never hides damage.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.amber.ledger import CHAPTER, READERS, Ledger, Listing, row_name, witness_name
from mediaml_assets.amber.ledger.folds import (
    encode_fold,
    fold_name,
    fold_witness_name,
    newest_fold,
    read_checked,
    rows_of,
    table_of,
)
from mediaml_assets.amber.ledger.rows import Row
from mediaml_assets.amber.objects import Objects
from mediaml_assets.errors import Damaged, NotStored

KEPT = 2
"""Folds that stay: the newest, and the one before for readers under way."""

Watch = Callable[[str, str], None]
"""Told of a feature and of what is being done about it."""


@dataclass
class Compacted:
    """What a compaction of one feature did."""

    feature: str
    folded: int = 0
    """Rows that no fold held before."""
    removed: int = 0
    """Objects removed."""
    left: dict[str, str] = field(default_factory=dict)
    """Scope -> why the newer rows of its chain stay as they are."""
    second: bool = False
    """Whether another compaction of this feature was first; then nothing was done."""


def compact(objects: Objects, feature: str, watch: Watch = lambda feature, doing: None) -> Compacted:
    """Fold the ledger rows of one feature.

    Memory: the feature's history, twice.

    Raises:
        Damaged: the newest fold is not what its witness says; nothing was done.
    """
    watch(feature, "reading")
    ledger, done = Ledger(objects), Compacted(feature)
    number, table = _newest(objects, feature)
    last = {row.scope: row for row in rows_of(_ends(table), feature, number)}
    listings = ledger.listings(feature)
    sound: list[Row] = []
    for scope, rows in _newer(ledger, feature, last, listings):
        if why := _fault(rows, listings[scope].witnesses, last.get(scope)):
            # a listing may have missed what was written meanwhile: look again before saying so
            again = ledger.stored(feature, scope)
            rows = [row for row in again.rows if scope not in last or row.seq > last[scope].seq]
            why = _fault(rows, again.witnesses, last.get(scope))
        if why:
            done.left[scope] = why
        else:
            sound += rows
    if sound:
        watch(feature, "writing")
        number = 0 if number is None else number + 1
        if not _create(objects, feature, number, pa.concat_tables([table, table_of(sound)])):
            return Compacted(feature, second=True)
        done.folded = len(sound)
    watch(feature, "removing")
    folded = {scope: row.seq for scope, row in last.items()} | {row.scope: row.seq for row in sound}
    # what is wrong with a chain is better looked into with all of it there
    listings = {scope: listing for scope, listing in listings.items() if scope not in done.left}
    names = [*_covered(feature, listings, folded), *_old_folds(objects, feature, number)]
    with ThreadPoolExecutor(READERS) as pool:
        done.removed = len(list(pool.map(objects.remove, names)))
    return done


def _newest(objects: Objects, feature: str) -> tuple[int | None, pa.Table]:
    """The newest fold's number and rows, known to be what was written."""
    number = newest_fold(objects, feature)
    if number is None:
        return None, table_of([])
    try:
        table, vouched_for = read_checked(objects, feature, number)
    except NotStored:
        # two compactions went by since it was listed
        return _newest(objects, feature)
    if not vouched_for:
        # its writer was killed just then; the rows speak for one another
        for scope, rows in groupby(rows_of(table, feature, number), lambda row: row.scope):
            if why := _fault(list(rows), {}, None):
                raise Damaged(f"{fold_name(feature, number)} cannot be believed: of {scope}, {why}; bring it back")
        objects.create(fold_witness_name(feature, number, objects.read(fold_name(feature, number))), b"")
    return number, table


def _ends(table: pa.Table) -> pa.Table:
    """The last row of each chain of a fold, which is sorted."""
    if not table.num_rows:
        return table
    ends = pc.run_end_encode(table.column("scope").combine_chunks()).run_ends
    return table.take(pc.subtract(ends, 1))


def _newer(
    ledger: Ledger, feature: str, last: Mapping[str, Row], listings: Mapping[str, Listing]
) -> Iterator[tuple[str, list[Row]]]:
    """Scope and the rows that no fold holds yet, the oldest first, of each chain that has any."""
    names = [
        (scope, seq, name)
        for scope, listing in sorted(listings.items())
        for seq, name in sorted(listing.rows.items())
        if scope not in last or seq > last[scope].seq
    ]
    for scope, rows in groupby(ledger.read_rows(feature, names), lambda row: row.scope):
        yield scope, list(rows)


def _fault(rows: Sequence[Row], witnesses: Mapping[int, tuple[str, ...]], before: Row | None) -> str:
    """Why rows do not follow one another and the row before; empty when they do.

    A row that is missing is no fault where a later one says that it was lost.
    """
    try:
        commits = [row.commit for row in rows]
    except Damaged as damage:
        return str(damage)
    lost = {name for commit in commits for name in commit.gone}
    for row, commit in zip(rows, commits, strict=True):
        following = before.seq + 1 if before else 0
        missing = [row_name(row.feature, row.scope, seq) for seq in range(following, row.seq)]
        if not set(missing) <= lost:
            return f"{missing[0]} is missing"
        follows = bool(missing) or commit.before == (before.digest if before else "")
        believed = row.digest[:16] in witnesses.get(row.seq, (row.digest[:16],))
        if not follows or not believed or commit.text != row.text:
            return f"{row.name} or the row before it was changed"
        before = row
    return ""


def _create(objects: Objects, feature: str, number: int, table: pa.Table) -> bool:
    """Create a fold; False when another compaction was first."""
    name, encoded = fold_name(feature, number), encode_fold(table)
    if not objects.create(name, encoded):
        return False
    if newest_fold(objects, feature) != number:
        # this process slept while folds of this number and of larger ones came, and this one went
        objects.remove(name)
        return False
    if objects.read(name) != encoded:
        objects.remove(name)
        raise Damaged(f"{name} was not stored as it was written; nothing was removed. Look after {objects.where}")
    objects.create(fold_witness_name(feature, number, encoded), b"")
    return True


def _covered(feature: str, listings: Mapping[str, Listing], folded: Mapping[str, int]) -> Iterator[str]:
    """Rows that the newest fold holds, but the newest of each chapter, and witnesses of rows that go or went.

    Args:
        feature: the feature.
        listings: of each scope.
        folded: scope -> last seq that the newest fold holds.
    """
    for scope, listing in listings.items():
        last = folded.get(scope, -1)
        stay = set({seq // CHAPTER: seq for seq in sorted(listing.rows)}.values())
        yield from (name for seq, name in listing.rows.items() if seq <= last and seq not in stay)
        for seq, witnesses in listing.witnesses.items():
            if seq <= last and seq not in stay:
                yield from (witness_name(row_name(feature, scope, seq), digest) for digest in witnesses)


def _old_folds(objects: Objects, feature: str, newest: int | None) -> Iterator[str]:
    """Folds and their witnesses that nobody reads any more."""
    if newest is not None:
        for name in objects.names(f"folds/{feature}"):
            if name[:8].isdigit() and int(name[:8]) <= newest - KEPT:
                yield f"folds/{feature}/{name}"
