"""The flavours of a match: how two shots' ends become a score in [0, 1], by a dot product and an exact re-ranking.

A flavour turns the rows of its feature, of any titles one after the other, into an out vector (the tail) and an in
vector (the head) of each shot, so that the first score of "cut from A to B" is out[A] . in_[B] and all pairs are one
matrix product. Both flavours then re-rank with a finer score and state the highest one that a first score allows, so
that a re-ranked top K can be proved exact. A score of 0 (or below, before re-ranking) is no match at all: an end that
shows nothing certain has a zero vector.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.features.motion import DIMENSIONS as MOTION_DIMENSIONS
from mediaml_assets.features.silhouette import MASK_BITS

Vectors = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]

SPEED_FLOOR = 0.02  # picture widths a second: at this speed a motion counts half, well below it not at all
_ROUNDING = 1e-6  # first scores are float32 products of unit vectors


@dataclass(frozen=True)
class Ends:
    """The ends of n shots in one flavour.

    out, in_: float32 [n, d], tails and heads.
    rerank: final scores, float64 in [0, 1], of pairs of rows (int64 rows, cols).
    bound: the highest final score that a pair of this first score can have; never decreasing.
    """

    out: Vectors
    in_: Vectors
    rerank: Callable[[Indices, Indices], Scores]
    bound: Callable[[float], float]


@dataclass(frozen=True)
class Flavour:
    """One way for two shots to match.

    `feature` names the Amber Feature whose `columns` it reads; `version` changes when equal rows get other scores.
    """

    name: str
    feature: str
    columns: tuple[str, ...]
    version: str
    description: str
    ends: Callable[[Sequence[pa.Table]], Ends]
    """Tables of the feature, one a title, to the ends of all their rows in the same order."""


def frame_ends(tables: Sequence[pa.Table]) -> Ends:
    """Silhouettes: the cosine of two masks, re-ranked by their intersection over union.

    With I pixels in common of a and b, IoU = I / (a + b - I) and cos = I / sqrt(ab). As a + b >= 2 sqrt(ab), IoU is at
    most cos / (2 - cos).
    """
    out, in_ = (_masks(tables, name) for name in ("out_mask", "in_mask"))

    def overlap(rows: Indices, cols: Indices) -> Scores:
        common = np.count_nonzero(out[rows] & in_[cols], axis=1)
        either = np.count_nonzero(out[rows] | in_[cols], axis=1)
        return np.asarray(common / np.maximum(either, 1), np.float64)

    def bound(first: float) -> float:
        cosine = min(max(first + _ROUNDING, 0.0), 1.0)
        return cosine / (2 - cosine)

    return Ends(_unit(out.astype(np.float32)), _unit(in_.astype(np.float32)), overlap, bound)


def motion_ends(tables: Sequence[pa.Table]) -> Ends:
    """Motion: the cosine of two motion vectors, damped where little moves, re-ranked by the ratio of their speeds.

    The damping of a vector of length s is s^2 / (s^2 + SPEED_FLOOR^2), so that still shots never match. A movement
    twice as fast scores half; the ratio is at most 1, so a first score is the highest final one.
    """
    out, in_ = (_stacked(tables, name) for name in ("out_vector", "in_vector"))
    tails, heads = _damped(out), _damped(in_)
    tail_speed, head_speed = (np.linalg.norm(vectors.astype(np.float64), axis=1) for vectors in (out, in_))

    def agreement(rows: Indices, cols: Indices) -> Scores:
        first = np.einsum("pd,pd->p", tails[rows].astype(np.float64), heads[cols].astype(np.float64))
        slower = np.minimum(tail_speed[rows], head_speed[cols])
        faster = np.maximum(tail_speed[rows], head_speed[cols])
        return np.asarray(np.clip(first, 0, 1) * slower / np.maximum(faster, 1e-9), np.float64)

    def bound(first: float) -> float:
        return min(max(first + _ROUNDING, 0.0), 1.0)

    return Ends(tails, heads, agreement, bound)


def _masks(tables: Sequence[pa.Table], name: str) -> npt.NDArray[np.bool_]:
    """Packed masks as bool [n, bits]."""
    packed = b"".join(mask for table in tables for mask in table.column(name).to_pylist())
    return np.unpackbits(np.frombuffer(packed, np.uint8)).reshape(-1, MASK_BITS).astype(np.bool_)


def _stacked(tables: Sequence[pa.Table], name: str) -> Vectors:
    """Vectors of all tables as float32 [n, d]."""
    parts = [np.asarray(table.column(name).combine_chunks().flatten(), np.float32) for table in tables]
    return np.concatenate([np.empty(0, np.float32), *parts]).reshape(-1, MOTION_DIMENSIONS)


def _unit(vectors: Vectors) -> Vectors:
    """Rows at length 1; zero rows stay zero."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)


def _damped(vectors: Vectors) -> Vectors:
    """Unit rows times s^2 / (s^2 + SPEED_FLOOR^2), s being their length before."""
    square = (vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True)
    return np.asarray(_unit(vectors) * (square / (square + SPEED_FLOOR**2)), np.float32)


FLAVOURS: Mapping[str, Flavour] = {
    flavour.name: flavour
    for flavour in (
        Flavour(
            "frame",
            "silhouette",
            ("index", "out_mask", "in_mask"),
            "1",
            "What stands in front keeps its outline over the cut.",
            frame_ends,
        ),
        Flavour(
            "motion",
            "motion",
            ("index", "out_vector", "in_vector"),
            "1",
            "Camera and subject go on moving the same way, as fast, over the cut.",
            motion_ends,
        ),
    )
}
"""Every flavour by name."""
