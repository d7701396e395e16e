"""Refusing a batch: which annotation type, which property, which row, and what to do about it."""

import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.errors import AnnotationRefused


@dataclass(frozen=True)
class At:
    """A column of a batch, for messages."""

    type: str
    """With its version, such as `SHOT@1`."""
    property: str
    rows: npt.NDArray[np.int64] | None = None
    """Of each value its row in the batch, where a row has several values; None where values are rows."""

    def refused(self, row: int | npt.ArrayLike, what: str, do: str) -> AnnotationRefused:
        """The error of a row, or of the first of the rows that a mask marks, which it counts.

        Args:
            row: index of a value, from 0, or one truth value for each of them, not all false.
            what: is wrong with it, as a sentence goes on after the property and its row.
            do: next, as an imperative.
        """
        more = ""
        if not isinstance(row, int):
            marked = np.flatnonzero(np.asarray(row))
            row, more = int(marked[0]), f" (and {marked.size - 1} more rows)" if marked.size > 1 else ""
        if self.rows is not None:
            row, more = int(self.rows[row]), ""
        return AnnotationRefused(
            f"{self.type}: {self.property!r} of row {row} (from 0) {what}{more}; {do}. Nothing of the batch was kept",
            self.property,
        )

    def refused_whole(self, what: str, do: str) -> AnnotationRefused:
        """The error of a column that cannot be used in any row."""
        return AnnotationRefused(
            f"{self.type}: {self.property!r} {what}; {do}. Nothing of the batch was kept", self.property
        )


def shown(value: Any) -> str:
    """A value that was given, for a message: short, and what any terminal and JSON can hold."""
    if isinstance(value, int) and value.bit_length() > 128:
        # Python writes no digits of the largest
        return f"an integer of {value.bit_length()} bits"
    return reprlib.repr(value)
