"""What the camera and the light do in each shot, and where flashes burst: movement for detectors to get wrong.

Everything here keeps clear of the ends of a shot: unless a cue asks for movement there, the picture nearly stands
still.
"""

import math
from collections.abc import Sequence

import numpy as np

from mediaml_assets.samples.camera import EASE, STEADY
from mediaml_assets.samples.layout import Layout, Slot
from mediaml_assets.samples.plan import STILL, Camera, Flash, Join, Light, Move, Span

NOTHING = Span(0.0, 0.0)
CALM = 0.45  # seconds at each end without an event
FLASH_GAP = 14  # frames between a flash and the nearest end of what is seen of its shot
DRIFT = 0.015  # picture widths a second of the drift where nothing moves


def seen(slot: Slot, joins: Sequence[Join]) -> tuple[int, int]:
    """The frames [first, last) of the title in which the shot can be seen: more than its own in a dissolve."""
    first, last = slot.start, slot.end
    if slot.index > 0 and joins[slot.index - 1].kind == "dissolve":
        first = joins[slot.index - 1].start
    if slot.index < len(joins) and joins[slot.index].kind == "dissolve":
        last = joins[slot.index].end
    return first, last


def room(slot: Slot, joins: Sequence[Join], rate: float) -> Span:
    """The seconds, from the first visible frame, in which the shot may do as it likes."""
    first, last = seen(slot, joins)
    edges = []
    for end, at in (("head", slot.index - 1), ("tail", slot.index)):
        calm = CALM
        if slot.cued(end):
            calm = STEADY + EASE + 0.1
        elif 0 <= at < len(joins) and joins[at].kind != "cut":
            calm = CALM + (joins[at].end - joins[at].start) / rate
        edges.append(calm)
    return Span(edges[0], max(edges[0], (last - first) / rate - edges[1]))


def events(rng: np.random.Generator, layout: Layout, rate: float) -> dict[int, str]:
    """What happens in the middle of shots: whips, flashes, shakes, exposure ramps, pans and zooms, where they fit."""
    rooms = {s.index: room(s, layout.joins, rate).length for s in layout.slots if s.take_of is None and not s.has_take}
    wanted = [("whip", 0.75), ("flash", 0.55), ("flash", 0.55), ("flash", 0.55), ("shake", 0.6), ("whip", 0.75)]
    wanted += [("flash", 0.55)] * int(rng.integers(0, 2)) + [("ramp", 0.7), ("shake", 0.6), ("ramp", 0.7)]
    chosen: dict[int, str] = {}
    for event, least in wanted:
        free = [i for i, length in rooms.items() if length >= least and i not in chosen]
        if free:
            chosen[free[int(rng.integers(len(free)))]] = event
    for i, length in rooms.items():
        if i not in chosen and length >= 0.7:
            chosen[i] = ("pan", "zoom")[int(rng.integers(2))]
    return chosen


def flashes(rng: np.random.Generator, layout: Layout, happens: dict[int, str], rate: float) -> list[Flash]:
    """One burst of 1 to 3 frames, sometimes two in a row, in each shot that was chosen for it."""
    bursts = []
    for slot in layout.slots:
        if happens.get(slot.index) != "flash":
            continue
        first, last = seen(slot, layout.joins)
        free = room(slot, layout.joins, rate)
        low = max(first + FLASH_GAP, first + math.ceil(free.start * rate))
        high = min(last - FLASH_GAP, first + math.floor(free.end * rate)) - 3
        if high < low:
            continue
        start, length = int(rng.integers(low, high + 1)), int(rng.integers(1, 4))
        bursts.append(Flash(start, start + length, float(rng.uniform(0.5, 0.85))))
    return bursts


def filmed(rng: np.random.Generator, slot: Slot, free: Span, event: str, move: Move) -> Camera:
    """The camera of a shot: its cue's movement at one end, its event in the middle, a slight drift elsewhere."""
    head, tail = _drift(rng), _drift(rng)
    if slot.cue and slot.cue.moving:
        head, tail = (move, tail) if slot.cue.end == "head" else (head, move)
    middle, span, shake = STILL, NOTHING, 0.0
    if event == "whip":
        middle, span = _whip(rng, free)
    elif event in ("pan", "zoom"):
        middle, span = _middle(rng, free, event), free
    elif event == "shake":
        shake = float(rng.uniform(0.012, 0.02))
    place = float(rng.uniform(-0.08, 0.08)), float(rng.uniform(-0.04, 0.04))
    return Camera(head, tail, middle, span, shake, free, place, float(rng.uniform(1.0, 1.15)), int(rng.integers(2**31)))


def _drift(rng: np.random.Generator) -> Move:
    """Nearly nothing: a hand-held or crawling camera."""
    speed, turn = DRIFT * rng.random(), 2 * math.pi * rng.random()
    return Move(float(speed * math.cos(turn)), float(speed * math.sin(turn)))


def _whip(rng: np.random.Generator, free: Span) -> tuple[Move, Span]:
    """A fast pan of about half a picture within half a second."""
    length = float(rng.uniform(0.45, min(0.65, free.length)))
    start = float(rng.uniform(free.start, free.end - length))
    side = 1 if rng.random() < 0.5 else -1
    distance = float(rng.uniform(0.45, 0.6))
    return Move(side * 2 * distance / length, float(rng.uniform(-0.2, 0.2))), Span(start, start + length)


def _middle(rng: np.random.Generator, free: Span, event: str) -> Move:
    """A calm pan or zoom over the free stretch."""
    if event == "zoom":
        return Move(zoom=float(rng.uniform(0.15, 0.3)) / free.length * (2 if rng.random() < 0.5 else -2))
    turn, distance = 2 * math.pi * rng.random(), float(rng.uniform(0.1, 0.25))
    return Move(2 * distance / free.length * math.cos(turn), distance / free.length * math.sin(turn))


def lit(rng: np.random.Generator, free: Span, event: str) -> Light:
    """The light of a shot: even, or on a ramp between two exposures."""
    grain = float(rng.uniform(0.03, 0.09))
    if event != "ramp":
        return Light(1.0, 1.0, NOTHING, grain)
    low, high = float(rng.uniform(0.5, 0.65)), float(rng.uniform(1.0, 1.2))
    return Light(low, high, free, grain) if rng.random() < 0.5 else Light(high, low, free, grain)
