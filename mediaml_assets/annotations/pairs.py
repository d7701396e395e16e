"""Pairs of shots: who they are, whatever their titles are called and wherever the shot boundaries are now.

A shot is known by the essence of its film and by when it is in the delivered film, which its title's frame map says.
So a pair keeps its identity when files are renamed, and when shots are detected again with the same boundaries. After
other boundaries it is attached to the shot that covers the same time, if they share at least `SAME` of what either
covers (intersection over union); else it is orphaned.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.annotations.facts import Film, Whole
from mediaml_assets.annotations.rows import joined

SAME = 0.8
"""Share of the time of two ranges together that must be of both for them to be the same shot."""

NONE = -1


@dataclass(frozen=True)
class Attached:
    """Which shots of now some pairs are.

    tail, head: titles and shot indices of the shot that is left and of the one that follows.
    orphaned: bool [n], whether one of the two shots is not there any more; then its title is null and its index -1.
    """

    title: pa.Array
    shot: Whole
    other_title: pa.Array
    other_shot: Whole

    @property
    def orphaned(self) -> npt.NDArray[np.bool_]:
        """Bool [n]: whether one of the two is not there any more."""
        return np.asarray((self.shot == NONE) | (self.other_shot == NONE), np.bool_)


def pair_ids(
    essence: pa.Array,
    source_start: pa.Array,
    source_end: pa.Array,
    other_essence: pa.Array,
    other_source_start: pa.Array,
    other_source_end: pa.Array,
) -> pa.Array:
    """The identities of pairs: both essences, each with when the shot is in its film, to the millisecond.

    Containers round time stamps in different ways, by less than that. From one shot to another is another pair than
    back.
    """

    def shot(essence: pa.Array, start: pa.Array, end: pa.Array) -> pa.Array:
        return joined(essence, "@", _milliseconds(start), "-", _milliseconds(end))

    tail, head = shot(essence, source_start, source_end), shot(other_essence, other_source_start, other_source_end)
    return joined(tail, ">", head)


def attached(pairs: pa.Table, films: Sequence[Film]) -> Attached:
    """Find the shots of pairs among the films of now.

    Args:
        pairs: columns `essence`, `source_time_start`, `source_time_end`, and the same with `other_` before them. Where
            `title` and `other_title` are given, a title that still has that essence goes before others that do.
        films: titles with their shots.
    """
    title, shot = _found(pairs, "", films)
    other_title, other_shot = _found(pairs, "other_", films)
    return Attached(title, shot, other_title, other_shot)


def _found(pairs: pa.Table, side: str, films: Sequence[Film]) -> tuple[pa.Array, Whole]:
    essences = pairs.column(f"{side}essence").to_numpy(zero_copy_only=False)
    start, end = (
        np.asarray(pairs.column(f"{side}source_time_{one}").to_numpy(), np.float64) for one in ("start", "end")
    )
    named = pairs.column(f"{side}title").to_numpy(zero_copy_only=False)
    titles = np.full(pairs.num_rows, None, object)
    shots = np.full(pairs.num_rows, NONE, np.int64)
    for film in films:
        # the title that was named goes first, whatever the order
        mine = np.flatnonzero((essences == film.essence) & ((shots == NONE) | (named == film.title)))
        found = best_shots(film, start[mine], end[mine])
        here = found != NONE
        titles[mine[here]], shots[mine[here]] = film.title, found[here]
    return pa.array(titles, pa.string()), shots


def best_shots(film: Film, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]) -> Whole:
    """The shot of a film that each time range [start, end) is: int64 [n], `NONE` where none shares `SAME` with it."""
    if not len(film.index):
        return np.full(len(start), NONE, np.int64)
    overlap = np.minimum(end[:, None], film.source_end) - np.maximum(start[:, None], film.source_start)
    union = np.maximum(end[:, None], film.source_end) - np.minimum(start[:, None], film.source_start)
    shares = np.maximum(overlap, 0) / union
    best = shares.argmax(axis=1)
    return np.where(shares[np.arange(len(start)), best] >= SAME, film.index[best], NONE)


def _milliseconds(seconds: pa.Array) -> pa.Array:
    return pa.array(np.rint(np.asarray(seconds.to_numpy(zero_copy_only=False), np.float64) * 1000).astype(np.int64))
