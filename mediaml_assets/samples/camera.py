"""Where the view and the figure are in each frame of a shot: the arithmetic of movement, without a pixel."""

import math

import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import Camera, Figure, Move, Place, Span

STEADY = 0.9  # seconds for which a movement at the head or the tail holds its speed
EASE = 0.35  # seconds in which it starts or dies away
Curve = npt.NDArray[np.float64]


def smooth(x: Curve) -> Curve:
    """The cubic step from 0 at x <= 0 to 1 at x >= 1."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def bell(times: Curve, span: Span) -> Curve:
    """A bump of height 1 over the span, zero and level at its ends: sin squared."""
    if span.length <= 0:
        return np.zeros_like(times)
    return np.sin(np.clip((times - span.start) / span.length, 0, 1) * math.pi) ** 2


def path(camera: Camera, frames: int, rate: float) -> Curve:
    """The view in each frame: float64 [frames, 4] of x, y (background point in the middle, widths), zoom factor, roll.

    Content that moves by +dx on the screen means a view that moves by -dx over the background. The middle of the path
    is put at `camera.place`.
    """
    times = np.arange(frames) / rate
    length = (frames - 1) / rate
    ends = [
        (camera.head, smooth((STEADY + EASE - times) / EASE)),
        (camera.tail, smooth((times - (length - STEADY - EASE)) / EASE)),
        (camera.middle, bell(times, camera.middle_span)),
    ]
    speed = sum((np.outer(envelope, _row(move)) for move, envelope in ends), np.zeros((frames, 4)))
    turned = _travelled(speed[:, 2:], rate)
    zoom = camera.size * np.exp(turned[:, 0])
    moved = _travelled(speed[:, :2] / zoom[:, None], rate)
    sway = _shake(camera, times)
    x, y = camera.place[0] - moved[:, 0] + sway[:, 0], camera.place[1] - moved[:, 1] + sway[:, 1]
    roll = turned[:, 1]
    return np.stack([x, y, zoom, roll], axis=1)


def _travelled(speed: Curve, rate: float) -> Curve:
    """Positions from speeds a second, float64 [frames, n], the middle of their range at 0."""
    moved = np.vstack([np.zeros((1, speed.shape[1])), np.cumsum((speed[1:] + speed[:-1]) / 2, axis=0)]) / rate
    return np.asarray(moved - (moved.min(axis=0) + moved.max(axis=0)) / 2)


def _row(move: Move) -> Curve:
    """A movement as a row (dx, dy, zoom, roll)."""
    return np.array([move.dx, move.dy, move.zoom, move.roll])


def _shake(camera: Camera, times: Curve) -> Curve:
    """Smooth trembling within the shake span: float64 [frames, 2] in widths, two sines an axis at 2 to 5 Hz."""
    rng = np.random.default_rng([camera.seed, 3])
    hertz, phase = 2 + 3 * rng.random((2, 2)), 2 * math.pi * rng.random((2, 2))
    waves = np.sin(2 * math.pi * hertz * times[:, None, None] + phase).sum(axis=2) / 2
    return np.asarray(camera.shake * bell(times, camera.shake_span)[:, None] * waves)


def figure_path(figure: Figure, aspect: float, frames: int, rate: float) -> Curve:
    """The figure in each frame: float64 [frames, 4] of x, y (widths), height (widths), lean (radians).

    `aspect` is the picture's height over its width; a place of None is just beyond the nearer side.
    """
    times = np.arange(frames) / rate
    length = (frames - 1) / rate
    known = figure.head or figure.tail
    if known is None:
        raise ValueError("a figure without a head place and a tail place is never seen: leave it out of the shot")
    head, tail = figure.head or _outside(known, aspect), figure.tail or _outside(known, aspect)
    travel = max(0.2, length - figure.hold[0] - figure.hold[1])
    way = smooth((times - figure.hold[0]) / travel)[:, None]
    spots = (
        np.array([head.x, head.y, head.height * aspect, head.lean]),
        np.array([tail.x, tail.y, tail.height * aspect, tail.lean]),
    )
    track = spots[0] * (1 - way) + spots[1] * way
    turn = 2 * math.pi * figure.sway_hertz
    swing = np.sin(turn * times) * (1 - way[:, 0]) + np.sin(turn * (times - length)) * way[:, 0]
    track[:, 0] += figure.sway * math.cos(figure.phase) * swing
    track[:, 1] += figure.sway * math.sin(figure.phase) * swing
    return np.asarray(track)


def _outside(place: Place, aspect: float) -> Place:
    """The place beyond the nearer side from which a figure comes or to which it goes."""
    side = 1 if place.x >= 0 else -1
    return Place(side * (0.55 + 0.6 * place.height * aspect), place.y, place.height, 0.0)
