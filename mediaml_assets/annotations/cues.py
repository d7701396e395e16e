"""Cues as annotations (`CUE`), of subtitle files and of the film's own streams; times in seconds, exact to the ms."""

import pyarrow as pa
import pyarrow.compute as pc

from mediaml_assets.annotations.facts import Facts
from mediaml_assets.annotations.rows import Rowed, about, joined, numbered, of_schema
from mediaml_assets.annotations.types import CUE
from mediaml_assets.features.cue_rows import CUES

_NAMES = {
    "index": "index",
    "text": "text",
    "markup": "markup",
    "speaker": "speaker",
    "style": "style",
    "language": "language",
    "label": "file_label",
    "origin": "origin",
    "refused": "refused",
}
"""Column of the feature -> property."""


def cue_rows_of(feature: str) -> Rowed:
    """The declaration of one of the features that hold cues."""

    def to_batch(rows: pa.Table, _: Facts, title: str) -> pa.Table:
        count = rows.num_rows
        return pa.table(
            {
                "id": joined(f"{feature}/{title}/", numbered(rows)),
                **about(title, "title", title, count),
                "row": numbered(rows),
                "time_start": _seconds(rows.column("start_ms")),
                "time_end": _seconds(rows.column("end_ms")),
                **{theirs: rows.column(ours) for ours, theirs in _NAMES.items()},
            }
        )

    return Rowed(
        feature, CUES, CUE, to_batch, _to_rows, ("time_start", "time_end", *_NAMES.values()), beside={}, shared=True
    )


def _to_rows(found: pa.Table) -> pa.Table:
    times = {f"{end}_ms": _milliseconds(found.column(f"time_{end}")) for end in ("start", "end")}
    return of_schema({**times, **{ours: found.column(theirs) for ours, theirs in _NAMES.items()}}, CUES)


def _seconds(milliseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.divide(milliseconds.cast(pa.float64()), 1000.0)


def _milliseconds(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """The whole number that `_seconds` was made of: a double is far finer than a millisecond."""
    return pc.round(pc.multiply(seconds, 1000.0)).cast(pa.int64())


CUE_ROWS = tuple(cue_rows_of(feature) for feature in ("subtitle_cues", "embedded_cues"))
