"""Which match cuts are planted where, and which look-alikes stand beside them.

Each planted pair has a code of its own: a silhouette at a place (flavour `frame`) or a movement (flavour `motion`). A
decoy shares something with one planted pair and lacks what makes the match.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mediaml_assets.samples.plan import Move, Place, Shape
from mediaml_assets.samples.shapes import KINDS

FRAME_DECOYS = ("place", "place", "place", "colours", "colours")
MOTION_DECOYS = ("opposite", "opposite", "speed", "speed", "picture", "picture")
MIN_ANGLE = 40.0  # degrees between the movements of two codes
TRIES = 200
SLOW, FAST = 0.24, 0.36  # picture widths a second of planted pans


@dataclass(frozen=True)
class Cue:
    """One end of a shot with a part to play: in planted pair `pair` of its flavour, or as a decoy of that pair.

    `differs` is empty for a planted end. For a decoy it says in what it differs from the pair: its `place`; its shape,
    with the same `colours`; the `opposite` direction; the `speed`; or the movement, with the same `picture`.
    """

    flavour: str
    end: str
    pair: int
    title: int
    differs: str = ""

    @property
    def moving(self) -> bool:
        """Whether the picture moves at this end."""
        return self.flavour == "motion"


def deal(rng: np.random.Generator, titles: int, alone: int) -> list[Cue]:
    """All cues of a catalogue, evenly dealt to `titles` titles; title `alone` has pairs of its own only.

    The odd title's picture covers less of a standard canvas, so what is at the same place in its picture is not at the
    same place on the canvas: it takes no part in pairs across titles. A decoy that copies how the tail of a pair looks
    lies in a later title.
    """
    load = np.zeros(titles)

    def choose(banned: Collection[int]) -> int:
        order = np.argsort(load + rng.random(titles))
        title = next(int(t) for t in order if t not in banned)
        load[title] += 1
        return title

    cues: list[Cue] = []
    for flavour in ("frame", "motion"):
        inside, across = int(rng.integers(2, 4)), int(rng.integers(3, 5))
        for pair in range(inside + across):
            first = choose(()) if pair < inside else choose((alone,))
            if pair < inside:
                load[first] += 1
            second = first if pair < inside else choose((alone, first))
            cues += [Cue(flavour, "tail", pair, first), Cue(flavour, "head", pair, second)]
    for flavour, kinds in (("frame", FRAME_DECOYS), ("motion", MOTION_DECOYS)):
        for kind in kinds:
            copies = kind in ("colours", "picture")
            tails = [c for c in cues if c.flavour == flavour and c.end == "tail" and not c.differs]
            tails = [c for c in tails if c.title < titles - 1 or not copies]
            played = {(c.pair, c.differs) for c in cues if c.flavour == flavour}
            tails = [c for c in tails if (c.pair, kind) not in played]
            model = tails[int(rng.integers(len(tails)))]
            used = [c.title for c in cues if c.flavour == flavour and c.pair == model.pair]
            banned = [*used, *range(model.title + 1)] if copies else [alone, *used]
            end = "tail" if rng.random() < 0.5 else "head"
            cues.append(Cue(flavour, end, model.pair, choose(banned), kind))
    return cues


def motion_codes(rng: np.random.Generator, cues: Sequence[Cue]) -> list[Move] | None:
    """One movement per cue of flavour motion, in the order of `cues`, each pair and each decoy apart from the rest.

    Two ends of a pair get the same movement. Every other pair of movements differs by `MIN_ANGLE` degrees or, for a
    decoy of the kind `speed`, by a factor of two. None when such movements are not found.
    """
    for _ in range(TRIES):
        start = 2 * math.pi * rng.random()
        speeds = SLOW + (FAST - SLOW) * rng.random(8)
        wheel = [
            Move(float(v * math.cos(start + i * math.pi / 4)), float(v * math.sin(start + i * math.pi / 4)))
            for i, v in enumerate(speeds)
        ]
        rates = 0.42 + 0.14 * rng.random(4)
        others = [Move(zoom=float(rates[0])), Move(zoom=-float(rates[1])), Move(roll=float(rates[2]))]
        pool = [wheel[i] for i in rng.permutation(8)] + others + [Move(roll=-float(rates[3]))]
        planted = 1 + max(c.pair for c in cues)
        pans = planted - 3 + int(rng.integers(0, 2))
        codes = pool[:pans] + [pool[8 + int(i)] for i in rng.permutation(4)[: planted - pans]]
        moves = _with_decoys(rng, cues, codes, pool)
        if moves is not None:
            return moves
    return None


def _with_decoys(
    rng: np.random.Generator, cues: Sequence[Cue], codes: Sequence[Move], pool: Sequence[Move]
) -> list[Move] | None:
    """The movement of each cue, or None when a decoy would match something."""
    taken = list(codes)
    moves = []
    for cue in cues:
        code = codes[cue.pair]
        if not cue.differs:
            moves.append(code)
            continue
        if cue.differs == "speed":
            moves.append(code.times(2.0 if rng.random() < 0.5 and code.speed < 0.3 else 0.5))
            continue
        wanted = [code.times(-1)] if cue.differs == "opposite" else [pool[int(i)] for i in rng.permutation(len(pool))]
        free = [m for m in wanted if all(m.angle_to(t) >= MIN_ANGLE for t in taken)]
        if not free:
            return None
        taken.append(free[0])
        moves.append(free[0])
    return moves


def random_shape(rng: np.random.Generator, kinds: Sequence[str] = tuple(KINDS)) -> Shape:
    """A silhouette of one of the kinds."""
    return Shape(kinds[int(rng.integers(len(kinds)))], tuple(round(float(x), 3) for x in rng.random(8)))


def frame_place(rng: np.random.Generator) -> Place:
    """A place for a planted silhouette: near the middle, large."""
    return Place(float(rng.uniform(-0.13, 0.13)), float(rng.uniform(-0.03, 0.05)), float(rng.uniform(0.65, 0.9)))


def any_place(rng: np.random.Generator) -> Place:
    """A place for any other figure: anywhere in the picture, of any size."""
    height = float(rng.uniform(0.3, 0.85))
    return Place(float(rng.uniform(-0.33, 0.33)), float(rng.uniform(-0.1, 0.14)), height, float(rng.uniform(-0.2, 0.2)))


def nudged(rng: np.random.Generator, place: Place) -> Place:
    """The same place as far as the eye can tell: within 0.3 % of a width and 1 % of the size."""
    dx, dy, grow = rng.uniform(-1, 1, 3)
    return Place(
        place.x + 0.003 * float(dx), place.y + 0.003 * float(dy), place.height * (1 + 0.01 * float(grow)), place.lean
    )
