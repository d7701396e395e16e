"""Which titles belong to which show: the `show` of each show lists them, and follows the sources of its titles.

A title's source says which show it is from; this is the other way round, so that the titles of a show are found
without looking at every title there is.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime

import pyarrow as pa

from mediaml_assets.amber.feature import Members
from mediaml_assets.amber.keys import column_digests, digest_of, rows_digest
from mediaml_assets.amber.ledger import Commit, Value
from mediaml_assets.amber.staleness import say_damaged
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.references import kept
from mediaml_assets.amber.view import View
from mediaml_assets.errors import Damaged
from mediaml_assets.landing.titles import is_slug

SHOW = "show"
"""The per-show value, and the column of a source that names its show."""

SHOW_SCHEMA = pa.schema([("title", pa.string())])

STEP = 1_000_000_000
"""What a change of its titles adds to a show's generation: more than the generations of its titles add up to, so that
an answer about titles that belong to it no longer is older than one without them."""


def show_key(show: str) -> str:
    """The slug that stands for a show: its name, or one near to it when the name is no slug."""
    if is_slug(show):
        return show
    plain = unicodedata.normalize("NFKD", show).encode("ascii", "ignore").decode()
    words = re.findall(r"[A-Za-z0-9]+", plain) or ["show"]
    # two names that differ only in what no slug can have are two shows
    return f"{'_'.join(words)[:60]}-{digest_of(show)[:8]}"


def follow(store: Store, source: str, titles: Iterable[str]) -> list[Commit]:
    """Make the shows agree with the newest sources of some titles; the commits of the shows that changed.

    Every show that a title was ever from is looked at, so that what a killed landing left undone is made up for when
    the title is next looked at. In between, what was withdrawn is harmless there: it has no values.
    """
    candidates: dict[str, set[str]] = defaultdict(set)
    for title in titles:
        for show in _shows_of(store, source, title):
            candidates[show].add(title)
    changed = []
    for show, own in sorted(candidates.items()):
        try:
            changed.append(_agree(store, source, show, own))
        except Damaged as damage:
            say_damaged(SHOW, show, damage)
    return [commit for commit in changed if commit is not None]


def _shows_of(store: Store, source: str, title: str) -> set[str]:
    """Every show that a title was ever from, as far as its sources can be read."""
    try:
        values = kept(store.ledger.chain(source, title))
    except Damaged as damage:
        say_damaged(source, title, damage)
        return set()
    shows = set()
    for value in values:
        try:
            shows.add(_show(store, source, value))
        except Damaged as damage:
            say_damaged(source, title, damage)
    return {show for show in shows if show is not None}


def _show(store: Store, source: str, value: Value | None) -> str | None:
    """The show that a value of a source says; None of a film, or when it was withdrawn."""
    name = None if value is None else store.read_rows(source, value, [SHOW]).column(SHOW)[0].as_py()
    return None if name is None else show_key(name)


def _agree(store: Store, source: str, show: str, candidates: set[str]) -> Commit | None:
    """Let a show have those of the candidates whose source says so now; None when it does already.

    Those whose source is damaged stay where they are.
    """
    while True:
        head = store.ledger.head(SHOW, show)
        before = set(Members.from_value(View(store, SHOW, show, head)).titles) if head else set()
        # read after the head: what is landed later also comes here later, and finds our commit
        says = {title: _says(store, source, title, show) for title in candidates}
        joined = {title for title, own in says.items() if own}
        titles = sorted(before - {title for title, own in says.items() if own is False} | joined)
        if set(titles) == before:
            return None
        rows = pa.table({"title": titles}, schema=SHOW_SCHEMA)
        columns = column_digests(rows)
        value = store.write_rows(SHOW, rows, rows_digest(columns), columns) if titles else None
        written = store.ledger.append(_commit(show, value, head.generation if head else 0), head)
        if written is not None:
            if value is not None:
                store.make_sure(SHOW, value, rows)
            return written


def _says(store: Store, source: str, title: str, show: str) -> bool | None:
    """Whether the newest source of a title says that it is from a show; None when that is damaged."""
    try:
        head = store.ledger.head(source, title)
        return _show(store, source, head.current if head else None) == show
    except Damaged as damage:
        say_damaged(source, title, damage)
        return None


def _commit(show: str, value: Value | None, generation: int) -> Commit:
    return Commit(
        feature=SHOW,
        scope=show,
        event="computed" if value else "withdrawn",
        value=value,
        current=value,
        key=value.key if value else "",
        generation=generation + STEP,
        made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        who="landing",
    )
