"""How the picture moves at one end of a shot: the camera's affine part, what moves against it, and how sure that is.

Flow is measured between neighbouring frames, from the cut outwards. Repeated frames (24 frames a second told as 30,
drawings held for two) are stepped over and the time is shared out evenly, so that speeds stay right. Each pair is
checked by warping one frame onto the other: where the flow does not explain the change there is a cut, a flash or a
dissolve, and the measurement ends before it. Certainty is what remains after four doubts: a change that the flow leaves
unexplained, places that flow back and forth does not lead back to, trembling, and too few frames.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from mediaml_assets.features.measures.optical_flow import (
    MEDIUM,
    Flow,
    Gray,
    Map,
    camera_flow,
    flow,
    lost,
    texture,
    warped,
)

Vector = npt.NDArray[np.float32]
Between = Callable[[int, int], Flow]

WIDTH, HEIGHT = 160, 90  # the size at which flow is measured
COLUMNS, ROWS = 16, 9
PAIRS = 8  # pairs of neighbouring frames looked at on either side of a cut
NEAR_PAIRS = 3  # those nearest to the cut are looked at once more by themselves
CAMERA = 6  # numbers of an affine field
SUBJECT = COLUMNS * ROWS * 2
SUBJECT_WEIGHT = 2.0  # a subject covers a part of the picture only: its own motion counts this many times more
DIMENSIONS = 2 * (CAMERA + SUBJECT)
REPEATED = 0.12  # of the greatest change among the steps within two of it: a smaller one is a repeated frame
CHANGED = 1.5  # levels of mean change, below which nothing needs explaining
BROKEN = (10.0, 0.2, 0.5)  # a pair that changes by so many levels, explains less or loses more, is no motion
EXPLAINED = (0.1, 0.4)  # shares of the change that the flow explains: not sure at all, sure
LOST = (0.05, 0.35)  # shares of the picture that flow back and forth loses: sure, not sure at all
STEADY = (0.4, 0.9)  # how alike the pairs' motions are: trembling, going one way
ENOUGH = 4  # pairs that make a measurement sure
SPREAD = 1.0  # cells over which a subject's motion is smoothed: the eye follows, it does not measure
TELLING = 0.1  # texture around a place at which its own motion counts half


@dataclass(frozen=True)
class EndMotion:
    """Motion at one end of a shot.

    vector: float32 [588], in picture widths a second: the camera over the pairs nearest to the cut and over all, six
        numbers each, then what moves against it over the same, 9 x 16 cells x (right, down) each. The length of the
        parts of either stretch is the root mean square speed, a subject's own counting `SUBJECT_WEIGHT` times.
    certainty: in [0, 1].
    """

    vector: Vector
    certainty: float


@dataclass(frozen=True)
class _Pair:
    """Two neighbouring frames: flow in pixels from the earlier on, seconds between, and levels explained of changed.

    telling: how far the flow can be told, [90, 160]; lost: the share that back and forth does not lead back, measured
    for the pairs nearest to the cut and for great changes, else 0.
    """

    field: Flow
    seconds: float
    changed: float
    explained: float
    telling: Map
    lost: float


NOTHING = EndMotion(np.zeros(DIMENSIONS, np.float32), 0.0)


def end_motion(
    grays: Sequence[Gray], rate: float, at_end: bool, high: float, between: Between | None = None
) -> EndMotion:
    """The motion of neighbouring frames [90, 160] in order of time; the cut is after the last or before the first.

    Args:
        grays: luma of the active picture.
        rate: frames a second.
        at_end: whether the cut is after the last.
        high: the active picture's height over its width.
        between: what measures flow between the frames at two places; Dense Inverse Search by default.
    """
    pairs = _pairs(grays, rate, at_end, between or (lambda a, b: flow(grays[a], grays[b], MEDIUM)))
    if not pairs:
        return NOTHING
    to_widths = np.array([1 / WIDTH, high / HEIGHT], np.float32)
    near, whole = (_stretch(pairs[:count], to_widths) for count in (NEAR_PAIRS, PAIRS))
    vector = np.concatenate([near[0], whole[0], near[1], whole[1]]).astype(np.float32)
    changed = sum(pair.changed for pair in pairs)
    explained = sum(pair.explained for pair in pairs) / max(changed, 1e-6)
    sure = _rising(explained, EXPLAINED) if changed > CHANGED * len(pairs) else 1.0
    sure *= 1 - _rising(float(np.mean([pair.lost for pair in pairs[:NEAR_PAIRS]])), LOST)
    return EndMotion(vector, sure * _steadiness(pairs) * min(1.0, len(pairs) / ENOUGH))


def camera_field(numbers: Vector) -> Vector:
    """The motion, [9, 16, 2] in picture widths a second, that six camera numbers stand for."""
    return np.asarray((numbers.reshape(2, 3) @ _affine().T).T.reshape(ROWS, COLUMNS, 2), np.float32)


def subject_field(numbers: Vector) -> Vector:
    """The motion against the camera, [9, 16, 2] in picture widths a second, that a subject's 288 numbers stand for."""
    scale = np.sqrt(COLUMNS * ROWS) / SUBJECT_WEIGHT
    return np.asarray(numbers.reshape(ROWS, COLUMNS, 2) * scale, np.float32)


def _pairs(grays: Sequence[Gray], rate: float, at_end: bool, between: Between) -> list[_Pair]:
    """The pairs of frames that differ, the one nearest to the cut first, as far as motion explains them."""
    kept = _distinct(grays[::-1] if at_end else grays)
    # one repetition after the last pair belongs to it; more of them are a picture that stands still
    steps = kept[-1] + (kept[-1] == len(grays) - 2)
    seconds = steps / rate / max(len(kept) - 1, 1)
    found: list[_Pair] = []
    for near, far in pairwise(kept):
        a, b = (len(grays) - 1 - far, len(grays) - 1 - near) if at_end else (near, far)
        field, telling, changed = between(a, b), texture(grays[a]), _difference(grays[a], grays[b])
        explained = changed - _difference(grays[a], warped(grays[b], field))
        asked = len(found) < NEAR_PAIRS or changed > BROKEN[0]
        missed = lost(field, between(b, a), telling) if asked else 0.0
        if changed > BROKEN[0] and (explained < BROKEN[1] * changed or missed > BROKEN[2]):
            break
        found.append(_Pair(field, seconds, changed, explained, telling, missed))
    return found


def _distinct(outwards: Sequence[Gray]) -> list[int]:
    """The places of frames that are no repetition of the one before them, the first among them."""
    changes = np.array([_difference(a, b) for a, b in pairwise(outwards)])
    around = [changes[max(0, place - 2) : place + 3].max() for place in range(len(changes))]
    return [0, *(place + 1 for place, most in enumerate(around) if changes[place] >= REPEATED * most)]


def _stretch(pairs: Sequence[_Pair], to_widths: Vector) -> tuple[Vector, Vector]:
    """The six camera numbers and the 288 of what moves against it, over some pairs."""
    field = np.asarray(sum(pair.field for pair in pairs) / sum(pair.seconds for pair in pairs), np.float32)
    telling = np.asarray(np.mean([pair.telling for pair in pairs], axis=0), np.float32)
    scale = np.float32(sum(pair.seconds for pair in pairs) / len(pairs))
    camera = camera_flow(field * scale, trust=telling) / scale
    around = cv2.GaussianBlur(telling, (0, 0), HEIGHT / ROWS / 2)
    own = (field - camera) * (around / (around + TELLING))[..., None]
    cells = cv2.GaussianBlur(_cells(own * to_widths), (0, 0), SPREAD)
    affine = _cells(camera * to_widths).reshape(-1, 2).T @ _affine() / (COLUMNS * ROWS)
    subject = SUBJECT_WEIGHT * cells.ravel() / np.sqrt(COLUMNS * ROWS)
    return np.asarray(affine.ravel(), np.float32), np.asarray(subject, np.float32)


def _steadiness(pairs: Sequence[_Pair]) -> float:
    """How alike the pairs' motions are, in [0, 1]: low where the camera trembles or a whip has just begun."""
    cells = np.array([_cells(pair.field / np.float32(pair.seconds)) for pair in pairs])
    lengths = np.linalg.norm(cells.reshape(len(cells), -1), axis=1)
    return _rising(float(np.linalg.norm(cells.mean(axis=0))) / max(float(lengths.mean()), 1e-6), STEADY)


def _difference(a: Gray, b: Gray) -> float:
    """Mean absolute difference of two pictures in levels."""
    return float(cv2.absdiff(a, b).mean())


def _rising(value: float, ends: tuple[float, float]) -> float:
    """0 up to the first of `ends`, 1 from the second, straight between."""
    return min(max((value - ends[0]) / (ends[1] - ends[0]), 0.0), 1.0)


def _cells(field: Flow) -> Flow:
    """A field averaged over the cells, [9, 16, 2]."""
    return np.asarray(cv2.resize(field, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), np.float32)


@cache
def _affine() -> Vector:
    """1, x and y at the cells' middles, each of root mean square 1 over the picture: [144, 3]."""
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float64)
    x, y = x - x.mean(), y - y.mean()
    parts = [np.ones(x.size), x.ravel() / np.sqrt((x**2).mean()), y.ravel() / np.sqrt((y**2).mean())]
    return np.asarray(np.stack(parts, 1), np.float32)
