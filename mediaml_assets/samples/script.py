"""Writing the script: from a seed to everything that every title of the catalogue shows."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from mediaml_assets.samples import gallery, layout, planting, staging
from mediaml_assets.samples.casting import TitleCasting, Wardrobe
from mediaml_assets.samples.layout import Layout, Slot
from mediaml_assets.samples.plan import (
    STILL,
    Camera,
    Catalogue,
    Decoy,
    Figure,
    Geometry,
    Move,
    Picture,
    Place,
    Plant,
    ShotPlan,
    TitlePlan,
)
from mediaml_assets.samples.planting import Cue

UNPAINTED = Picture("ridges", 0, ((0, 0, 0),) * 5)


@dataclass(frozen=True)
class Card:
    """What is fixed about a title: its name and the form of its file."""

    title: str
    file: str
    rate: Fraction
    geometry: Geometry
    preset: str
    sample_rate: int
    channels: int
    variable: bool = False


FILM, PAL, NTSC = Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001)
CARDS = (
    Card("harbour-s01e01", "harbour/s01/e01.mkv", FILM, Geometry(854, 480), "ultrafast", 48000, 2),
    Card("harbour-s01e02", "harbour/s01/e02.mkv", FILM, Geometry(854, 480), "ultrafast", 48000, 2),
    Card("night_train", "night_train.mp4", PAL, Geometry(640, 360), "veryfast", 44100, 1),
    Card("salt_road", "salt_road.mp4", NTSC, Geometry(768, 432), "ultrafast", 48000, 2),
    Card("glass_garden", "glass_garden.mkv", PAL, Geometry(720, 576, Fraction(64, 45)), "ultrafast", 48000, 1),
    Card("old_reel", "old_reel.mp4", PAL, Geometry(640, 480, bar=40, rotation=90), "ultrafast", 22050, 1, True),
)
ODD = len(CARDS) - 1  # the title whose picture does not fill a standard canvas


def write(seed: int) -> Catalogue:
    """The catalogue of a seed: the same seed gives the same catalogue."""
    attempts = (_attempt(seed, np.random.default_rng([seed, number])) for number in itertools.count())
    return Catalogue(seed, next(titles for titles in attempts if titles is not None))


def _attempt(seed: int, rng: np.random.Generator) -> tuple[TitlePlan, ...] | None:
    """All titles, or None when the movements or the pictures of one cannot be found."""
    cues = planting.deal(rng, len(CARDS), ODD)
    movers = [c for c in cues if c.moving]
    codes = planting.motion_codes(rng, movers)
    if codes is None:
        return None
    moves = dict(zip(movers, codes, strict=True))
    layouts = [layout.lay_out(rng, [c for c in cues if c.title == t], float(card.rate)) for t, card in enumerate(CARDS)]
    cast = gallery.figures(rng, [lay.slots for lay in layouts])
    plants, decoys = _plants(layouts, moves, cast), _decoys(layouts, moves)
    wardrobe = Wardrobe()
    titles = []
    for t, (card, lay) in enumerate(zip(CARDS, layouts, strict=True)):
        title = _title(rng, seed * 100 + t, card, lay, cast[t], moves, wardrobe)
        if title is None:
            return None
        mine = tuple(p for p in plants if p.title1 == card.title), tuple(d for d in decoys if d.title == card.title)
        titles.append(replace(title, plants=mine[0], decoys=mine[1]))
    return tuple(titles)


def _title(
    rng: np.random.Generator,
    seed: int,
    card: Card,
    lay: Layout,
    figures: Sequence[Figure | None],
    moves: dict[Cue, Move],
    wardrobe: Wardrobe,
) -> TitlePlan | None:
    """One title, without its list of plants; None when its pictures cannot be found."""
    rate = float(card.rate)
    happens = staging.events(rng, lay, rate)
    bursts = staging.flashes(rng, lay, happens, rate)
    drafts: list[ShotPlan] = []
    for slot, figure in zip(lay.slots, figures, strict=True):
        drafts.append(_draft(rng, slot, lay, rate, happens.get(slot.index, ""), figure, moves, drafts))
    shots = TitleCasting(rng, wardrobe, drafts, lay.slots, lay.joins, card.geometry, rate).run()
    if shots is None:
        return None
    return TitlePlan(
        seed=seed,
        title=card.title,
        file=card.file,
        rate=card.rate,
        frame_count=lay.frame_count,
        geometry=card.geometry,
        preset=card.preset,
        sample_rate=card.sample_rate,
        channels=card.channels,
        left_out=_left_out(rng, lay, [b.start for b in bursts]) if card.variable else (),
        shots=tuple(shots),
        joins=tuple(lay.joins),
        flashes=tuple(bursts),
        plants=(),
        decoys=(),
    )


def _draft(
    rng: np.random.Generator,
    slot: Slot,
    lay: Layout,
    rate: float,
    event: str,
    figure: Figure | None,
    moves: dict[Cue, Move],
    before: Sequence[ShotPlan],
) -> ShotPlan:
    """A shot with its movement and light, not yet painted."""
    first, last = staging.seen(slot, lay.joins)
    free = staging.room(slot, lay.joins, rate)
    view = staging.filmed(rng, slot, free, event, moves.get(slot.cue, STILL) if slot.cue else STILL)
    light = staging.lit(rng, free, event)
    if slot.take_of is not None:
        view, figure, gain = _again(rng, view, before[slot.take_of].camera, figure)
        light = replace(light, head=gain, tail=gain)
    return ShotPlan(slot.index, slot.start, slot.end, first, last, view, UNPAINTED, figure, light, slot.take_of)


def _again(
    rng: np.random.Generator, view: Camera, original: Camera, figure: Figure | None
) -> tuple[Camera, Figure | None, float]:
    """Another take of a set-up: a little reframed, the figure a little elsewhere and swaying otherwise, lit anew."""
    dx, dy, grow, gain = rng.uniform(-1, 1, 4)
    place = original.place[0] + 0.015 * float(dx), original.place[1] + 0.01 * float(dy)
    view = replace(view, place=place, size=original.size * (1 + 0.02 * float(grow)))
    if figure is not None:
        shift = rng.uniform(-0.03, 0.03, 2)
        spots = [
            p and Place(p.x + float(shift[0]), p.y + float(shift[1]), p.height, p.lean)
            for p in (figure.head, figure.tail)
        ]
        turn, hertz = rng.uniform(0, 6.28), rng.uniform(0.45, 0.6)
        figure = replace(figure, head=spots[0], tail=spots[1], phase=float(turn), sway_hertz=float(hertz))
    return view, figure, 1 + 0.09 * float(gain)


def _left_out(rng: np.random.Generator, lay: Layout, bursts: Sequence[int]) -> tuple[int, ...]:
    """Frames that a variable-rate file lacks: about one in twenty, none near a join, a flash or a shot with a cue."""
    banned = np.zeros(lay.frame_count, bool)
    banned[:2] = banned[-2:] = True
    for join in lay.joins:
        banned[max(0, join.start - 8) : join.end + 8] = True
    for start in bursts:
        banned[start - 8 : start + 12] = True
    for slot in lay.slots:
        if slot.cue:
            banned[slot.start : slot.end] = True
    free = np.flatnonzero(~banned)
    return tuple(int(f) for f in np.sort(rng.choice(free, min(len(free) // 2, lay.frame_count // 20), replace=False)))


def _plants(
    layouts: Sequence[Layout], moves: dict[Cue, Move], figures: Sequence[Sequence[Figure | None]]
) -> list[Plant]:
    """The planted pairs with the shots that play them."""
    ends: dict[tuple[str, int, str], tuple[int, Slot]] = {}
    for t, lay in enumerate(layouts):
        for slot in lay.slots:
            if slot.cue and not slot.cue.differs:
                ends[slot.cue.flavour, slot.cue.pair, slot.cue.end] = t, slot
    plants = []
    for (flavour, pair, end), (t, slot) in sorted(ends.items(), key=lambda x: x[0]):
        if end == "tail":
            other_title, other = ends[flavour, pair, "head"]
            code = _code(slot, moves, figures[t][slot.index])
            plants.append(Plant(flavour, CARDS[t].title, slot.index, CARDS[other_title].title, other.index, code))
    return plants


def _code(slot: Slot, moves: dict[Cue, Move], figure: Figure | None) -> str:
    """What a cue shows, in words."""
    if slot.cue in moves:
        move = moves[slot.cue]
        return f"dx {move.dx:+.2f} dy {move.dy:+.2f} widths/s, zoom {move.zoom:+.2f}/s, roll {move.roll:+.2f} rad/s"
    place = (figure.tail if slot.cued("tail") else figure.head) if figure else None
    return (
        f"{figure.shape.kind} at {place.x:+.2f} {place.y:+.2f}, height {place.height:.2f}"
        if figure and place
        else "none"
    )


def _decoys(layouts: Sequence[Layout], moves: dict[Cue, Move]) -> list[Decoy]:
    """The look-alikes with the shots that play them."""
    found = [(t, s, s.cue) for t, lay in enumerate(layouts) for s in lay.slots if s.cue and s.cue.differs]
    return [
        Decoy(c.flavour, CARDS[t].title, s.index, c.end, c.differs, f"of pair {c.pair}; " + (_code(s, moves, None)))
        for t, s, c in found
    ]
