"""Forgetting a title: its values, memos and files go, and the ledger says so for ever.

    1  write a row "forgotten" into each chain of the title, which names the values and memos that it lets go
    2  remove what `repair` moved away of it; move to the trash what no other chain refers to: memos, files, values
    3  read again what refers to it, put that back, and remove the rest (trash.py)

From the first row on nobody reads it any more, so there is never a hole that the ledger does not explain. Killed
anywhere, run it again: what the rows name and is still there goes. A writer who recalls the same content for another
title meanwhile keeps it, or finds it gone and computes it again.

What goes: whatever only this title refers to, also its answers to other settings. What stays: its rows in the ledger
(who, when, digests, the partition of the title), what another title of the same content refers to, and what was made
of several titles: values of shows and of the catalogue, and their ad-hoc answers, say what they said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mediaml_assets.amber.commits import record_after
from mediaml_assets.amber.feature import Scope
from mediaml_assets.amber.ledger import Commit, Event, Value
from mediaml_assets.amber.mesh import Mesh
from mediaml_assets.amber.names import memo_name, value_name
from mediaml_assets.amber.objects import blob_object, is_stored
from mediaml_assets.amber.objects.trash import former_name, take_away
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.upkeep.gc import alone, empty_trash, referred
from mediaml_assets.amber.upkeep.object_check import Wrong
from mediaml_assets.amber.upkeep.reach import Reach, blob_reach, blobs_of, reach
from mediaml_assets.amber.upkeep.references import is_memoised
from mediaml_assets.errors import NotStored, StoreError

DAMAGED = "damaged"
"""Folder of what `repair` moved away, as damaged/<time>/<former name>."""

EVENT: Event = "forgotten"
REASON = "the title was withdrawn, and is forgotten"


@dataclass
class Forgotten:
    """What there is to forget of a title, or what was forgotten."""

    title: str
    chains: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Feature and scope -> values and memos that its rows refer to, and let go."""
    gone: list[str] = field(default_factory=list)
    """Objects to be removed, or that were removed; sorted."""
    copies: list[str] = field(default_factory=list)
    """What `repair` moved away of them: damaged copies, to be removed or that were; sorted."""
    shared: list[str] = field(default_factory=list)
    """Objects that stay because something else refers to them, or may; sorted."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Folder -> why nobody can say what of it is needed by others, so that it stays: something is damaged."""


def look(store: Store, mesh: Mesh, title: str) -> Forgotten:
    """What `forget` would do; nothing is changed.

    Raises:
        NotStored: no such title ever landed.
        StoreError: it is not withdrawn.
        Damaged: a row of its history cannot be read.
    """
    _generation(store, mesh, title)
    found = Forgotten(title)
    ever: set[str] = set()
    for feature, scope in _chains(store, mesh, title):
        chain = store.ledger.chain(feature, scope)
        named = _names(chain)
        if named:
            found.chains[feature, scope] = sorted(named)
        # what an earlier row let go may still be there: that run was killed, or a file of a value was lost
        ever |= named.union(*(commit.gone for commit in chain))
    ever = {name for name in ever if name.startswith(("values/", "memo/"))}
    let_go = {name for name in ever if is_stored(store.objects, name)}
    staying = _held_by_others(store, ever, title, mesh, found)
    named = _files(store, let_go - staying)
    kept = blob_reach(store.objects, without=let_go - staying) if named else Reach()
    staying |= _held(named, kept, found)
    files = {name for name in named if is_stored(store.objects, name)}
    moved_away = (one.name for one in store.objects.walk(DAMAGED))
    found.copies = sorted(one for one in moved_away if former_name(one) in (ever | named) - staying)
    found.gone, found.shared = sorted((let_go | files) - staying), sorted((let_go | files) & staying)
    return found


def forget(store: Store, mesh: Mesh, title: str) -> Forgotten:
    """Forget a title that was withdrawn; waits while another process takes something away. Raises what `look` does."""
    with alone(store):
        empty_trash(store)
        done = look(store, mesh, title)
        for (feature, scope), names in done.chains.items():
            while True:
                head = store.ledger.head(feature, scope)
                # looked at after the head: who delivers it again meanwhile comes between, and is not disturbed
                generation = _generation(store, mesh, title)
                if record_after(store, head, feature, scope, EVENT, dict.fromkeys(names, ""), REASON, generation):
                    break
        # while the values that name the files among them can still be read
        for name in done.copies:
            store.objects.remove(name)
        # memos first, then files, then values: what is still to be done can be seen from what is left
        order = sorted(done.gone, key=lambda name: (("memo", "blobs", "values").index(name.split("/")[0]), name))
        done.gone = sorted(take_away(store.objects, order, lambda names: referred(store, names)))
        # somebody else referred to it since
        done.shared = sorted({*done.shared, *order} - {*done.gone})
    return done


def _generation(store: Store, mesh: Mesh, title: str) -> int:
    """The landing generation of a title that is withdrawn; raises NotStored and StoreError."""
    heads = [head for source in mesh.sources if (head := store.ledger.head(source, title))]
    if not heads:
        raise NotStored(f"no title {title!r} ever landed; `mediaml status` lists them")
    if any(head.current is not None for head in heads):
        raise StoreError(
            f"{title} is not withdrawn: only what was withdrawn can be forgotten. Remove its file from the landing "
            "place, run `mediaml ingest`, then forget it"
        )
    return max(head.generation for head in heads)


def _chains(store: Store, mesh: Mesh, title: str) -> Iterator[tuple[str, str]]:
    """Feature and scope of each chain of a title; the sources first."""
    features = store.objects.folders("ledger")
    for feature in sorted(features, key=lambda name: (name not in mesh.sources, name)):
        if _is_per_title(store, mesh, feature, title):
            for scope in store.ledger.scopes(feature):
                if scope.partition("@")[0] == title:
                    yield feature, scope


def _is_per_title(store: Store, mesh: Mesh, feature: str, title: str) -> bool:
    """Whether a feature has values of titles; of one whose code is gone, whether there is no show of that name."""
    if feature in mesh.features:
        return mesh.features[feature].scope is Scope.TITLE
    return feature in mesh.sources or title not in mesh.shows(store)


def _names(chain: list[Commit]) -> set[str]:
    """Values and memos that a chain refers to."""
    named: set[str] = set()
    gone: set[str] = set()
    for commit in reversed(chain):
        gone |= commit.gone.keys()
        for value in (commit.value, commit.current):
            if value is not None:
                named |= set(_objects_of(commit.feature, value)) - gone
    return named


def _objects_of(feature: str, value: Value) -> Iterator[str]:
    yield value_name(feature, value.digest)
    if is_memoised(value):
        yield memo_name(feature, value.key)


def _held_by_others(store: Store, names: Iterable[str], title: str, mesh: Mesh, noted: Forgotten) -> set[str]:
    """Which of some objects other titles refer to, or a memo that stays."""
    wanted = set(names)
    held: set[str] = set()
    for feature in sorted({name.split("/")[1] for name in wanted}):
        own = {scope for one, scope in _chains(store, mesh, title) if one == feature}
        found = reach(store, feature, without=own, let_go=wanted)
        held |= _held((name for name in wanted if name.split("/")[1] == feature), found, noted)
    return held


def _held(names: Iterable[str], found: Reach, noted: Forgotten) -> set[str]:
    """Which of some objects something refers to, or may; why the latter is noted."""
    held = {name for name in names if found.has(name)}
    for folder, why in found.unknown.items():
        if any(name.startswith(f"{folder}/") for name in held - found.names):
            noted.unknown[folder] = why
    return held


def _files(store: Store, values: Iterable[str]) -> set[str]:
    """The files that some values name."""
    found: set[str] = set()
    for name in values:
        if not name.startswith("values/"):
            continue
        named = blobs_of(store.objects, name)
        found |= set() if isinstance(named, Wrong) else set(map(blob_object, named))
    return found
