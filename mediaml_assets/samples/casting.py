"""Choosing the pictures of a title: painted small, measured (`screening`) and chosen anew until every rule holds.

Shots that are no takes of each other get different pictures, a hard cut shows, a dissolve joins pictures that differ in
light and layout, and a fade joins two that are not dark.
"""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.samples import screening
from mediaml_assets.samples.layout import Slot
from mediaml_assets.samples.plan import Geometry, Join, Look, Picture, ShotPlan
from mediaml_assets.samples.scenes import Stage
from mediaml_assets.samples.screening import Screening
from mediaml_assets.samples.textures import FAMILIES

TRIES = 40
BACK = 2  # shots that are cast again when one cannot be cast
STEPS = 3  # shots cast, in all, for each shot of the title before it is given up
PATCHY = ("panes", "fields", "rays", "city")  # a silhouette that is to be found does not stand before strong patches
WIDTH = 160  # pixels of the small drawing

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Dress:
    """What shots that look alike have in common: the family of scenery, its colours and the paint of the figure."""

    family: str
    palette: tuple[Colour, ...]
    look: Look


@dataclass
class Wardrobe:
    """The dresses of the tails of planted pairs so far, by flavour and pair."""

    worn: dict[tuple[str, int], Dress] = field(default_factory=dict)


def palette(rng: np.random.Generator, key: str) -> tuple[Colour, ...]:
    """Five colours (B, G, R) from dark to light about two hues; `key` is dark, middle or bright."""
    low, high = {"dark": (0.07, 0.36), "middle": (0.12, 0.8), "bright": (0.4, 0.97)}[key]
    hue, turn = rng.random(), float(rng.choice([0.06, 0.14, 0.33, 0.5]))
    rise, strong = rng.uniform(0.75, 1.3), rng.uniform(0.35, 0.9)
    colours = []
    for i in range(5):
        value = low + (high - low) * (i / 4) ** rise
        tint = (hue + turn * float(rng.random() < 0.5) + rng.uniform(-0.03, 0.03)) % 1.0
        r, g, b = colorsys.hsv_to_rgb(tint, min(1.0, strong * rng.uniform(0.6, 1.1)), value)
        colours.append((round(b * 255), round(g * 255), round(r * 255)))
    return tuple(colours)


def look(rng: np.random.Generator, background: Sequence[Colour]) -> Look:
    """A figure's paint: two colours far from those of the background."""
    vivid = rng.integers(0, 256, (60, 3))
    tried = (vivid * 0.75 + vivid.mean(axis=1, keepdims=True) * 0.25).astype(np.int64)
    lab = _lab(tried)
    away = np.linalg.norm(lab[:, None] - _lab(np.array(background))[None], axis=2).min(axis=1)
    first = int(np.argmax(away + 15 * rng.random(60)))
    near = np.linalg.norm(lab - lab[first], axis=1)
    second = int(np.argmax(np.where((near > 12) & (near < 70), away, -1)))
    a, b = ((int(c[0]), int(c[1]), int(c[2])) for c in tried[[first, second]])
    return Look((a, b), ("stripes", "checks", "spots")[int(rng.integers(3))], int(rng.integers(2**31)))


def _lab(colours: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Colours (B, G, R) of 0 to 255 as CIE Lab, float32 [n, 3]."""
    return np.asarray(
        cv2.cvtColor(colours.astype(np.float32)[None] / np.float32(255), cv2.COLOR_BGR2LAB)[0], np.float32
    )


def _hidden(slot: Slot, stage: Stage) -> bool:
    """Whether the shot plays a silhouette that does not stand out."""
    cue = slot.cue
    if cue is None or cue.moving or cue.differs or stage.shot.figure is None:
        return False
    return screening.outline_fault(stage, 0 if cue.end == "head" else stage.shot.visible - 1) > 0


class TitleCasting:
    """The casting of one title, shot by shot in order."""

    def __init__(
        self,
        rng: np.random.Generator,
        wardrobe: Wardrobe,
        drafts: Sequence[ShotPlan],
        slots: Sequence[Slot],
        joins: Sequence[Join],
        geometry: Geometry,
        rate: float,
    ) -> None:
        self.rng, self.wardrobe = rng, wardrobe
        self.drafts, self.slots, self.joins = drafts, slots, joins
        self.geometry, self.rate = geometry, rate
        self.done: list[ShotPlan] = []
        self.seen: list[Screening] = []

    def run(self) -> list[ShotPlan] | None:
        """The shots with pictures and painted figures; None when they cannot be found."""
        for _ in range(STEPS * len(self.slots)):
            if len(self.done) == len(self.slots):
                return self.done
            if not self._cast(self.slots[len(self.done)]):
                del self.done[-BACK:], self.seen[-BACK:]
        return None

    def _cast(self, slot: Slot) -> bool:
        """Cast the next shot; False when no try keeps all rules."""
        ahead = self._ahead(slot)
        for _ in range(1 if slot.take_of is not None else TRIES):
            shot = self._repeated(slot) if slot.take_of is not None else self._dressed(slot)
            stage = self._stage(shot)
            if _hidden(slot, stage):
                continue
            measured = screening.screened(stage)
            if self._fault(slot, measured, ahead) == 0:
                self.done.append(shot)
                self.seen.append(measured)
                self._remember(slot, shot)
                return True
        return False

    def _stage(self, shot: ShotPlan) -> Stage:
        """The shot, painted small."""
        height = 2 * round(WIDTH * self.geometry.aspect / 2)
        return Stage(shot, WIDTH, height, self.geometry.aspect, self.rate)

    def _ahead(self, slot: Slot) -> Screening | None:
        """The following shot, when it is a take of a shot that is cast already and so cannot be chosen any more."""
        following = self.slots[slot.index + 1] if slot.index + 1 < len(self.slots) else None
        if following is None or following.take_of is None:
            return None
        return screening.screened(self._stage(self._repeated(following)))

    def _repeated(self, slot: Slot) -> ShotPlan:
        """A take in the dress of its original."""
        original, draft = self.done[slot.take_of or 0], self.drafts[slot.index]
        figure = draft.figure and original.figure and replace(draft.figure, look=original.figure.look)
        return replace(draft, picture=original.picture, figure=figure)

    def _dressed(self, slot: Slot) -> ShotPlan:
        """The shot in a dress drawn at random; a decoy that copies a pair's looks wears what that pair wears."""
        rng, draft = self.rng, self.drafts[slot.index]
        recent = {s.picture.family for s in self.done[-4:]}
        patchy = PATCHY if slot.cue and slot.cue.flavour == "frame" and not slot.cue.differs else ()
        families = [f for f in FAMILIES if f not in recent and f not in patchy]
        key = "dark" if slot.dark else "bright" if slot.bright or rng.random() < 0.3 else "middle"
        family, colours = families[int(rng.integers(len(families)))], palette(rng, key)
        paint = look(rng, colours)
        known = self.wardrobe.worn.get((slot.cue.flavour, slot.cue.pair)) if slot.cue else None
        if known is not None and slot.cue and slot.cue.differs in ("colours", "picture"):
            family, colours, paint = known.family, known.palette, known.look
        picture = Picture(family, int(rng.integers(2**31)), colours)
        return replace(draft, picture=picture, figure=draft.figure and replace(draft.figure, look=paint))

    def _remember(self, slot: Slot, shot: ShotPlan) -> None:
        """Keep how the tail of a planted pair looks, for the decoys that copy it."""
        if slot.cue and slot.cue.end == "tail" and not slot.cue.differs:
            paint = shot.figure.look if shot.figure else look(self.rng, shot.picture.palette)
            self.wardrobe.worn[slot.cue.flavour, slot.cue.pair] = Dress(
                shot.picture.family, shot.picture.palette, paint
            )

    def _fault(self, slot: Slot, shot: Screening, ahead: Screening | None) -> float:
        """How far the shot is from keeping all rules with what is cast so far; 0 when it keeps them."""
        fault = screening.bright_fault(shot) if slot.bright else 0.0
        if slot.take_of is None:
            others = [s for s, d in zip(self.seen, self.done, strict=True) if d.take_of is None]
            fault += screening.likeness_fault(shot, others)
        if self.seen:
            fault += self._join_fault(slot.index - 1, self.seen[-1], shot)
        if ahead is not None:
            fault += self._join_fault(slot.index, shot, ahead)
        return fault

    def _join_fault(self, at: int, old: Screening, new: Screening) -> float:
        """How far the join is from showing as what it is."""
        kind, share = self.joins[at].kind, self.geometry.share
        if kind == "dissolve":
            return screening.dissolve_fault(old, new, share)
        if kind == "fade":
            return screening.fade_fault(old, new)
        return screening.cut_fault(old, new, share, self.slots[at].dark and self.slots[at + 1].dark)
