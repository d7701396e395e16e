"""Labelled films composed from pieces of others: every transition is where the composer put it.

The recipe: pieces of 26 frames and more that lie between two labels, without black or flat frames; of each 16 to 79
frames, a fixed crop of .80 to .88, flipped half the time, with a gain of .85 to 1.15 and a tint; 40 % drift by 2 to 14
pixels a frame (beyond its edge the picture is mirrored), 18 % have a white flash of 1 to 3 frames, 8 % a ramp of
exposure from .6 to 1.3. They are joined by cuts (66 %), dissolves (18 %, 6 to 24 frames) and fades through black (16 %,
6 to 16 frames each side and 0 to 5 black). `HARDER` has wipes as well, and two pieces in five are in low light.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.boundaries.films import Film, Picture, pictures, tape_of
from benchmarks.boundaries.labels import Label, Labels
from mediaml_assets.jasper.planes import picture_of
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.mp4 import Mp4Writer

LEAST_PIECE, MARGIN, GRADUAL_MARGIN = 26, 2, 6  # frames
FLAT_MEAN, FLAT_SPREAD = 28, 8  # luma of a piece's frames: the mean is above the one, the deviation above the other
LEAST_JUMP = 10  # two neighbours differ by this where they meet, in levels of luma and chroma of their tapes
WIDTH, HEIGHT = ML_360P.width, ML_360P.height
BLACK, WHITE = (16, 128, 128), (235, 128, 128)


@dataclass(frozen=True)
class Style:
    """How often pieces are joined how, and how often they are darkened."""

    joins: dict[str, float]
    dark: float = 0.0


RECIPE = Style({"hard": 0.66, "dissolve": 0.18, "fade": 0.16})
HARDER = Style({"hard": 0.50, "dissolve": 0.15, "fade": 0.10, "wipe": 0.25}, dark=0.4)


@dataclass(frozen=True)
class Piece:
    """Frames [start, end) of a film that show one shot."""

    film: int
    start: int
    end: int


def compose(films: Sequence[Film], seed: int, style: Style, joins: int, path: Path) -> Labels:
    """Write a standard encode of `joins` transitions between pieces of `films` to `path`; returns its labels."""
    draw = np.random.default_rng([seed, len(style.joins)])
    every = [piece for number, film in enumerate(films) for piece in pieces(film, number)]
    labels: list[Label] = []
    with Mp4Writer(path, Fraction(24), (WIDTH, HEIGHT), ML_360P.x264_options(), None) as out:
        tail: list[Picture] = []
        last: Piece | None = None
        for number in range(joins + 1):
            piece = _next(draw, every, films, last)
            shown = _shown(draw, films[piece.film], piece, style)
            if number:
                kind = str(draw.choice(list(style.joins), p=list(style.joins.values())))
                tail, shown, touched = _joined(draw, kind, tail, shown)
                start = out.pictures + len(tail) - touched
                labels.append(Label(kind, start, start + max(touched, 1)))
            for picture in tail:
                out.show(picture_of(*picture))
            tail, last = shown, piece
        for picture in tail:
            out.show(picture_of(*picture))
    return Labels(tuple(labels))


def pieces(film: Film, number: int) -> list[Piece]:
    """The stretches of a film between its labels that are long enough and neither black nor flat."""
    count = len(film.tape)
    edges = [(0, 0), (count, count)]
    for one in film.labels.every:
        edges.append((one.start, one.start) if one.is_hard else (one.start - GRADUAL_MARGIN, one.end + GRADUAL_MARGIN))
    edges = sorted(edges + list(film.labels.ignored))
    luma = film.tape.y.reshape(count, -1)
    flat = (luma.mean(axis=1) < FLAT_MEAN) | (luma.std(axis=1) < FLAT_SPREAD)
    found, at = [], 0
    for start, end in edges:
        if start - at >= LEAST_PIECE + 2 * MARGIN and not flat[at + MARGIN : start - MARGIN].any():
            found.append(Piece(number, at + MARGIN, start - MARGIN))
        at = max(at, end)
    return found


def _next(draw: np.random.Generator, every: Sequence[Piece], films: Sequence[Film], last: Piece | None) -> Piece:
    """A piece that does not look like the one before; its frames are drawn too."""
    while True:
        piece = every[int(draw.integers(len(every)))]
        length = int(draw.integers(16, 80))
        start = int(draw.integers(piece.start, max(piece.end - length, piece.start) + 1))
        chosen = Piece(piece.film, start, min(start + length, piece.end))
        if last is None or _jump(films, last, chosen) >= LEAST_JUMP:
            return chosen


def _jump(films: Sequence[Film], a: Piece, b: Piece) -> float:
    """How much the last frame of one piece differs from the first of another."""
    tapes = films[a.film].tape, films[b.film].tape
    planes = [(getattr(tapes[0], p)[a.end - 1], getattr(tapes[1], p)[b.start]) for p in "yuv"]
    return float(sum(np.abs(one.astype(np.int16) - other).mean() for one, other in planes))


def _shown(draw: np.random.Generator, film: Film, piece: Piece, style: Style) -> list[Picture]:
    """The pictures of a piece, changed as the recipe says."""
    count = piece.end - piece.start
    scale = draw.uniform(0.80, 0.88)
    left, top = draw.uniform(0, 1 - scale, 2) * (WIDTH, HEIGHT)
    flip = draw.random() < 0.5
    drift = np.zeros(2)
    if draw.random() < 0.4:
        angle = draw.uniform(0, 2 * np.pi)
        drift = draw.uniform(2, 14) * np.array([np.cos(angle), np.sin(angle)])
    gains = np.full(count, draw.uniform(0.85, 1.15))
    if draw.random() < 0.08:
        gains *= np.linspace(0.6, 1.3, count)
    if draw.random() < style.dark:
        gains *= draw.uniform(0.12, 0.35)
    tint = (0.0, *draw.uniform(-8, 8, 2))
    white = np.zeros(count)
    if draw.random() < 0.18:
        long = int(draw.integers(1, 4))
        at = int(draw.integers(2, max(count - long - 2, 3)))
        white[at : at + long] = draw.uniform(0.5, 0.95)
    changed = []
    for n, planes in enumerate(pictures(film, piece.start, piece.end)):
        x, y = left + n * drift[0], top + n * drift[1]
        cropped = [_crop(plane, scale, x, y, flip, film.active) for plane in planes]
        lit = [_lit(plane, gains[n], low, more) for plane, low, more in zip(cropped, BLACK, tint, strict=True)]
        changed.append(_towards(tuple(lit), WHITE, float(white[n])))
    return changed


def _crop(
    plane: NDArray[np.uint8], scale: float, x: float, y: float, flip: bool, active: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """A plane's part at (x, y) of the active picture, whose size is `scale`, over the whole plane again."""
    height, width = plane.shape
    cell = width / WIDTH
    left, top, wide, high = (round(one * cell) for one in active)
    inner = plane[top : top + high, left : left + wide]
    across, down = scale * wide / width, scale * high / height
    matrix = np.array([[across, 0, x * cell * wide / width], [0, down, y * cell * high / height]], np.float32)
    if flip:
        matrix[0] = -across, 0, matrix[0, 2] + across * (width - 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(inner, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def _lit(plane: NDArray[np.uint8], gain: float, low: int, more: float) -> NDArray[np.uint8]:
    levels = np.clip((np.arange(256) - low) * gain + low + more, 16, 240).astype(np.uint8)
    return np.asarray(cv2.LUT(plane, levels), np.uint8)


def _towards(picture: Picture, colour: tuple[int, int, int], share: float) -> Picture:
    """A picture mixed with a plain colour."""
    if share == 0:
        return picture
    mixed = [
        cv2.convertScaleAbs(plane, alpha=1 - share, beta=share * c) for plane, c in zip(picture, colour, strict=True)
    ]
    return tuple(mixed)


def _joined(
    draw: np.random.Generator, kind: str, a: list[Picture], b: list[Picture]
) -> tuple[list[Picture], list[Picture], int]:
    """What is shown of `a` with the transition at its end, what is left of `b`, and how many frames are touched."""
    room = min(len(a), len(b)) // 2
    if kind == "hard":
        return a, b, 0
    if kind == "fade":
        out, back = (min(int(draw.integers(6, 17)), room) for _ in range(2))
        black = [_towards(a[-1], BLACK, 1.0)] * int(draw.integers(0, 6))
        down = [_towards(one, BLACK, (n + 1) / (out + 1)) for n, one in enumerate(a[-out:])]
        up = [_towards(one, BLACK, 1 - (n + 1) / (back + 1)) for n, one in enumerate(b[:back])]
        return a[:-out] + down + black + up, b[back:], out + len(black) + back
    length = min(int(draw.integers(6, 25)), room)
    mixer = _mixed if kind == "dissolve" else _Wiper(draw)
    shares = (np.arange(length) + 1) / (length + 1)
    both = [mixer(one, two, share) for one, two, share in zip(a[-length:], b[:length], shares, strict=True)]
    return a[:-length] + both, b[length:], length


def _mixed(a: Picture, b: Picture, share: float) -> Picture:
    return tuple(cv2.addWeighted(x, 1 - share, y, share, 0) for x, y in zip(a, b, strict=True))


class _Wiper:
    """Uncovers the second picture along a soft edge that crosses the picture in a direction drawn at random."""

    def __init__(self, draw: np.random.Generator) -> None:
        across, down = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1))[draw.integers(5)]
        y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
        along = (across * x + down * y).astype(np.float32)
        self._along = (along - along.min()) / (along.max() - along.min())

    def __call__(self, a: Picture, b: Picture, share: float) -> Picture:
        """The second picture where the edge has passed."""
        shown = np.clip((share - self._along) * 40 + 0.5, 0, 1)
        masks = [shown, *[shown[::2, ::2]] * 2]
        joined = [(x + (y.astype(np.float32) - x) * m).astype(np.uint8) for x, y, m in zip(a, b, masks, strict=True)]
        return tuple(joined)


def composed(films: Sequence[Film], seed: int, folder: Path, joins: tuple[int, int]) -> tuple[Film, Film]:
    """A film by the recipe and a harder one, of so many transitions, made side by side in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    plans = ("recipe", RECIPE, joins[0]), ("harder", HARDER, joins[1])
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = [pool.submit(_composed, films, seed, folder / name, style, count) for name, style, count in plans]
        recipe, harder = (one.result() for one in made)
    return recipe, harder


def _composed(films: Sequence[Film], seed: int, place: Path, style: Style, joins: int) -> Film:
    video, rate = place.with_suffix(".mp4"), Fraction(24)
    labels = compose(films, seed, style, joins, video)
    tape = tape_of(video, rate, place.with_suffix(".yuv"))
    return Film(place.name, video, rate, tape, (0, 0, WIDTH, HEIGHT), labels)
