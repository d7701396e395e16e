"""Casting figures: which silhouette stands where at the head and the tail of each shot.

Figures are kept apart: over all shots of a catalogue that are not repeated takes, the silhouette at the tail of one
shot and the one at the head of another overlap no more than `APART`, unless the two are a planted pair.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.layout import Slot
from mediaml_assets.samples.plan import Figure, Look, Place, Shape
from mediaml_assets.samples.planting import Cue, any_place, frame_place, nudged, random_shape
from mediaml_assets.samples.shapes import KINDS, standing

APART = 0.5  # greatest intersection over union of two silhouettes that are no planted pair
SAME = 0.92  # least one of a planted pair
SMALL, LARGE = 0.085, 0.28  # share of the picture that a planted silhouette covers
PLANT_TRIES = 30  # with one kind of silhouette before the next kind is tried
GRID = (96, 54)  # pixels of the masks compared
ASPECT = 9 / 16
EMPTY_SHARE = 0.35  # of the shots without a cue show no figure
HOLD = 1.15  # seconds for which a planted silhouette stands still
UNPAINTED = Look(((0, 0, 0), (0, 0, 0)), "stripes", 0)  # painted once the background is known
Bits = npt.NDArray[np.bool_]


def outline_bits(shape: Shape, place: Place) -> Bits:
    """The silhouette at its place as bool [GRID[0] * GRID[1]]."""
    return (standing(shape, place, *GRID, ASPECT) > 127).ravel()


def iou(a: Bits, b: Bits) -> float:
    """Intersection over union; 0 for two empty masks."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 0.0


@dataclass(frozen=True)
class Code:
    """What a planted frame match shows at both ends."""

    shape: Shape
    tail: Place
    head: Place


@dataclass
class Gallery:
    """The silhouettes at tails and heads so far, and the codes of the planted pairs."""

    tails: list[Bits] = field(default_factory=list)
    heads: list[Bits] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)

    def admits(self, shape: Shape, head: Place | None, tail: Place | None) -> bool:
        """Take the two ends in, unless one of them overlaps an opposite end too much."""
        new_head = [outline_bits(shape, head)] if head else []
        new_tail = [outline_bits(shape, tail)] if tail else []
        if any(iou(a, b) > APART for a in new_head for b in self.tails):
            return False
        if any(iou(a, b) > APART for a in new_tail for b in self.heads):
            return False
        self.heads += new_head
        self.tails += new_tail
        return True

    def plant(self, rng: np.random.Generator, pairs: int) -> None:
        """Choose the silhouettes of the planted pairs, each of another kind as long as there are kinds."""
        kinds = itertools.cycle([list(KINDS)[int(i)] for i in rng.permutation(len(KINDS))])
        while len(self.codes) < pairs:
            kind = next(kinds)
            for _ in range(PLANT_TRIES):
                shape, tail = random_shape(rng, [kind]), frame_place(rng)
                code = Code(shape, tail, nudged(rng, tail))
                a, b = outline_bits(shape, code.tail), outline_bits(shape, code.head)
                if SMALL < float(np.mean(a)) < LARGE and iou(a, b) > SAME and self._clear(a, b):
                    self.codes.append(code)
                    self.tails.append(a)
                    self.heads.append(b)
                    break

    def _clear(self, tail: Bits, head: Bits) -> bool:
        """Whether neither end of a new pair overlaps the opposite ends so far."""
        return all(iou(tail, b) <= APART for b in self.heads) and all(iou(a, head) <= APART for a in self.tails)


def figures(rng: np.random.Generator, layouts: Sequence[Sequence[Slot]]) -> list[list[Figure | None]]:
    """The figure of each shot of each title, unpainted; None where a shot shows none. A take shows its original's."""
    cues = [s.cue for slots in layouts for s in slots if s.cue]
    gallery = Gallery()
    gallery.plant(rng, 1 + max(c.pair for c in cues if c.flavour == "frame"))
    chosen: dict[tuple[int, int], Figure | None] = {}
    slots = [(t, slot) for t, row in enumerate(layouts) for slot in row]
    for title, slot in sorted(slots, key=lambda x: x[1].cue is None):
        if slot.take_of is None:
            chosen[title, slot.index] = _figure(rng, gallery, slot)
    for title, slot in slots:
        if slot.take_of is not None:
            chosen[title, slot.index] = chosen[title, slot.take_of]
    return [[chosen[t, slot.index] for slot in row] for t, row in enumerate(layouts)]


def _figure(rng: np.random.Generator, gallery: Gallery, slot: Slot) -> Figure | None:
    """A figure for one shot."""
    if slot.cue is None:
        return None if slot.dark or rng.random() < EMPTY_SHARE else _free_figure(rng, gallery, slot.has_take)
    if slot.cue.moving:
        return None
    if slot.cue.differs:
        return _decoy_figure(rng, gallery, slot.cue)
    return _planted_figure(rng, gallery, slot.cue)


def _planted_figure(rng: np.random.Generator, gallery: Gallery, cue: Cue) -> Figure:
    """The figure of a planted end; at the other end of its shot it is elsewhere or not in the picture."""
    code = gallery.codes[cue.pair]
    elsewhere = _elsewhere(rng, gallery, code.shape, "head" if cue.end == "tail" else "tail")
    if cue.end == "tail":
        return _built(rng, code.shape, elsewhere, code.tail, (0.3, HOLD))
    return _built(rng, code.shape, code.head, elsewhere, (HOLD, 0.3))


def _elsewhere(rng: np.random.Generator, gallery: Gallery, shape: Shape, end: str) -> Place | None:
    """A free place for the other end, or None: the figure comes from or goes out of the picture."""
    if rng.random() < 0.4:
        return None
    for _ in range(20):
        place = any_place(rng)
        if gallery.admits(shape, place if end == "head" else None, place if end == "tail" else None):
            return place
    return None


def _decoy_figure(rng: np.random.Generator, gallery: Gallery, cue: Cue) -> Figure | None:
    """The same silhouette elsewhere, or another silhouette at the same place."""
    code = gallery.codes[cue.pair]
    for _ in range(60):
        shape = code.shape if cue.differs == "place" else random_shape(rng)
        place = any_place(rng) if cue.differs == "place" else nudged(rng, code.tail)
        head, tail = (place, None) if cue.end == "head" else (None, place)
        if gallery.admits(shape, head, tail):
            return _built(rng, shape, head, tail, (HOLD, 0.3) if head else (0.3, HOLD))
    return None


def _free_figure(rng: np.random.Generator, gallery: Gallery, stays: bool) -> Figure | None:
    """Any figure that overlaps no other; it travels, comes or goes, unless it `stays` (for a shot taken again)."""
    for _ in range(30):
        shape, place = random_shape(rng), any_place(rng)
        course = 0.0 if stays else rng.random()
        other = place if course < 0.45 else any_place(rng) if course < 0.65 else None
        head, tail = (place, other) if rng.random() < 0.5 else (other, place)
        if gallery.admits(shape, head, tail):
            return _built(rng, shape, head, tail, (0.4, 0.4))
    return None


def _built(
    rng: np.random.Generator, shape: Shape, head: Place | None, tail: Place | None, hold: tuple[float, float]
) -> Figure:
    """The figure with a sway of its own."""
    sway, hertz, phase = rng.uniform(0.013, 0.018), rng.uniform(0.45, 0.6), rng.uniform(0, 2 * math.pi)
    return Figure(shape, UNPAINTED, head, tail, hold, float(sway), float(hertz), float(phase))
