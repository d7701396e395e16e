"""What a flavour of a match is: how two shots' ends become a score in [0, 1], by a dot product and perhaps exactly.

A flavour turns the rows of its feature, of one title, into an out vector (the tail) and an in vector (the head) of each
shot, so that the first score of "cut from A to B" is out[A] . in_[B] and all pairs of any titles are one matrix
product. It may re-rank with a finer score of its own, and then states the highest one that a first score allows, so
that a re-ranked top K can be proved exact. A score of 0 (or below, before re-ranking) is no match at all: an end that
shows nothing certain has a zero vector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mediaml_assets.matching.pairs.scan import Indices, Scores, Vectors
from mediaml_assets.matching.pairs.top_k import Rerank

Details = npt.NDArray[Any]
Exact = Callable[[Details, Details], Scores]

ROUNDING = 1e-6  # first scores are float32 products


@dataclass(frozen=True)
class Ends:
    """The ends of n shots in one flavour; those of several titles can be joined, or any of them taken.

    out, in_: float32 [n, d], tails and heads, whose products are the first scores, at most 1 but for rounding.
    out_details, in_details: [n, ...] of any type, what the exact score reads of each.
    """

    out: Vectors
    in_: Vectors
    out_details: Details
    in_details: Details

    def __len__(self) -> int:
        """Number of shots."""
        return len(self.out)

    @property
    def nbytes(self) -> int:
        """Bytes of all its arrays."""
        return sum(one.nbytes for one in (self.out, self.in_, self.out_details, self.in_details))

    @classmethod
    def without_details(cls, out: Vectors, in_: Vectors) -> Self:
        """Those of a flavour whose first score is the final one."""
        nothing = np.zeros((len(out), 0), np.float32)
        return cls(out, in_, nothing, nothing)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """The ends of the shots of all parts (at least one), one part after the other."""
        columns = ("out", "in_", "out_details", "in_details")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))

    def part(self, which: slice) -> Self:
        """The ends of some shots, not copied."""
        return type(self)(self.out[which], self.in_[which], self.out_details[which], self.in_details[which])


@dataclass(frozen=True)
class Flavour:
    """One way for two shots to match.

    name: as in `match_cuts`.
    feature: the Amber Feature whose `columns` it reads; the first one is the shot's index.
    version: changes when equal rows get other scores.
    description: one sentence for people.
    ends: a title's table of the feature to the ends of its shots, in the order of its rows.
    exact: for the details of p tails and of p heads, their final scores, float64 [p] in [0, 1]; None when the first
        score is the final one.
    bound: the highest final score that a pair of this first score can have; never decreasing.
    """

    name: str
    feature: str
    columns: tuple[str, ...]
    version: str
    description: str
    ends: Callable[[pa.Table], Ends]
    exact: Exact | None
    bound: Callable[[float], float]

    def rerank(self, ends: Ends) -> Rerank | None:
        """The final scores of pairs of rows of `ends`, as `top_k` asks for them."""
        exact = self.exact
        if exact is None:
            return None

        def scores(rows: Indices, cols: Indices) -> Scores:
            return exact(ends.out_details[rows], ends.in_details[cols])

        return scores


def first_is_highest(first: float) -> float:
    """The bound of a final score that is the first one, or the first one times something up to 1."""
    return min(max(first + ROUNDING, 0.0), 1.0)


def stacked(table: pa.Table, name: str, width: int) -> Vectors:
    """A column of vectors as float32 [n, width]."""
    return np.asarray(table.column(name).combine_chunks().flatten(), np.float32).reshape(-1, width)


def same_width(table: pa.Table, name: str) -> Vectors:
    """A column of lists that are equally long as float32 [n, d]; [0, 0] without rows."""
    flat = np.asarray(table.column(name).combine_chunks().flatten(), np.float32)
    return flat.reshape(len(table), -1) if len(table) else np.zeros((0, 0), np.float32)
