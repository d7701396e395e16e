"""The order of shots in a title: which shot plays which cue, which is a repeated take, how they join, how long.

Found by drawing at random until every rule holds; the rules are in `_fits` and `_joins`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mediaml_assets.samples.plan import Join
from mediaml_assets.samples.planting import Cue

TAKE_GAP = 3  # a repeated take is at least this many shots after its original
PAIR_GAP = 4  # two shots of a planted pair in one title are at least this many apart
SECONDS = (43.0, 48.0)  # length of a title
CUE_SECONDS, TAKE_SECONDS, PLAIN_SECONDS, GRADUAL_SECONDS = 2.1, 1.5, 1.25, 0.7  # least lengths


@dataclass
class Slot:
    """A shot before it has a picture."""

    index: int
    cue: Cue | None = None
    take_of: int | None = None
    has_take: bool = False
    dark: bool = False
    bright: bool = False
    start: int = 0
    end: int = 0

    def cued(self, end: str) -> bool:
        """Whether this end has a part to play."""
        return self.cue is not None and self.cue.end == end


@dataclass
class Layout:
    """The shots of one title and how they meet; `joins[i]` is between shots i and i + 1."""

    slots: list[Slot]
    joins: list[Join] = field(default_factory=list)
    frame_count: int = 0


def lay_out(rng: np.random.Generator, cues: Sequence[Cue], rate: float) -> Layout:
    """A title with the given cues: 16 to 20 shots, 2 to 4 of them repeated takes."""
    while True:
        shots, takes = int(rng.integers(16, 21)), int(rng.integers(2, 5))
        if len(cues) + 2 * takes > shots - 4:
            continue
        slots = _assign(rng, cues, shots, takes)
        if not _fits(slots):
            continue
        kinds = _joins(rng, slots)
        if kinds is not None:
            return _timed(rng, slots, kinds, rate)


def _assign(rng: np.random.Generator, cues: Sequence[Cue], shots: int, takes: int) -> list[Slot]:
    """Cues, originals and takes on random shots."""
    slots = [Slot(i) for i in range(shots)]
    order = [int(i) for i in rng.permutation(shots)]
    for cue in cues:
        slots[order.pop()].cue = cue
    for _ in range(takes):
        first, second = sorted((order.pop(), order.pop()))
        slots[second].take_of = first
        slots[first].has_take = True
    return slots


def _fits(slots: Sequence[Slot]) -> bool:
    """Whether takes and pairs are far enough apart and no cut has movement on both sides."""
    for a, b in itertools.pairwise(slots):
        if a.take_of is not None and b.take_of is not None:
            return False
        if a.cue and b.cue and a.cue.end == "tail" and b.cue.end == "head" and (a.cue.moving and b.cue.moving):
            return False
    if any(s.take_of is not None and s.index - s.take_of < TAKE_GAP for s in slots):
        return False
    where: dict[tuple[str, int], int] = {}
    for slot in slots:
        if slot.cue and not slot.cue.differs:
            pair = (slot.cue.flavour, slot.cue.pair)
            if pair in where and slot.index - where[pair] < PAIR_GAP:
                return False
            where[pair] = slot.index
    return True


def _joins(rng: np.random.Generator, slots: list[Slot]) -> list[str] | None:
    """The kind of each join, or None without room: 1 or 2 fades, 1 or 2 cuts from dark to dark, 2 or 3 dissolves.

    A gradual join has no cue on either side and no take; fades and dark cuts have shots without any cue about them; no
    shot has two of these special joins.
    """
    kinds = ["cut"] * (len(slots) - 1)
    used: set[int] = set()
    counts = (
        ("fade", int(rng.integers(1, 3))),
        ("dark", int(rng.integers(1, 3))),
        ("dissolve", int(rng.integers(2, 4))),
    )
    for kind, count in counts:
        free = [i for i in range(len(kinds)) if not used & {i, i + 1} and _special(slots[i], slots[i + 1], kind)]
        for i in rng.permutation(free):
            if count and not used & {int(i), int(i) + 1}:
                count -= 1
                used |= {int(i), int(i) + 1}
                kinds[int(i)] = kind
        if count:
            return None
    for i, kind in enumerate(kinds):
        for slot in slots[i : i + 2]:
            slot.dark |= kind == "dark"
            slot.bright |= kind == "fade"
    return ["cut" if kind == "dark" else kind for kind in kinds]


def _special(a: Slot, b: Slot, kind: str) -> bool:
    """Whether a join of this kind may be between the two shots."""
    if a.take_of is not None or b.take_of is not None:
        return False
    if kind == "dissolve":
        return not (a.cued("tail") or b.cued("head"))
    return a.cue is None and b.cue is None


def _timed(rng: np.random.Generator, slots: list[Slot], kinds: Sequence[str], rate: float) -> Layout:
    """Give every shot its frames and every join its span."""
    frame_count = round(float(rng.uniform(*SECONDS)) * rate)
    least = np.array([_least(s, kinds) for s in slots])
    spare = max(0.0, frame_count / rate - float(least.sum()))
    lengths = np.floor((least + spare * rng.dirichlet(np.full(len(slots), 1.5))) * rate).astype(int)
    edges = np.concatenate([[0], np.cumsum(lengths)])
    for slot, start, end in zip(slots, edges, edges[1:], strict=False):
        slot.start, slot.end = int(start), int(end)
    joins = [_join(rng, kind, int(at)) for kind, at in zip(kinds, edges[1:-1], strict=True)]
    return Layout(slots, joins, int(edges[-1]))


def _least(slot: Slot, kinds: Sequence[str]) -> float:
    """The least length of a shot in seconds."""
    sides = [kinds[i] for i in (slot.index - 1, slot.index) if 0 <= i < len(kinds)]
    own = CUE_SECONDS if slot.cue else TAKE_SECONDS if slot.has_take or slot.take_of is not None else PLAIN_SECONDS
    return own + GRADUAL_SECONDS * sum(kind != "cut" for kind in sides)


def _join(rng: np.random.Generator, kind: str, at: int) -> Join:
    """The join whose new shot starts at frame `at`."""
    if kind == "cut":
        return Join("cut", at, at + 1)
    if kind == "dissolve":
        half = int(rng.integers(4, 11))
        return Join("dissolve", at - half, at + half)
    ramp = int(rng.integers(7, 13))
    return Join("fade", at - ramp - 1, at + ramp + 2)
