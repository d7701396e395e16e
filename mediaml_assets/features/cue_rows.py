"""Rows of cues, wherever they came from: what `subtitle_cues` and `embedded_cues` hold."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import pyarrow as pa

from mediaml_assets.amber.columns import column
from mediaml_assets.features.refusals import ORIGIN_COLUMN, REFUSED_COLUMN
from mediaml_assets.jasper.texts.cues import Cue
from mediaml_assets.jasper.texts.languages import language_tag

CUES = pa.schema(
    [
        column("index", pa.int32(), "Of the row."),
        column("start_ms", pa.int64(), "First moment shown, in ms since the film's first picture.", nullable=True),
        column("end_ms", pa.int64(), "First moment gone; above the start.", nullable=True),
        column("text", pa.string(), "What is read, lines parted by a line feed.", nullable=True),
        column("markup", pa.string(), "The same as HTML of b, i and u; empty when plain.", nullable=True),
        column("speaker", pa.string(), "Who speaks, where that is said.", nullable=True),
        column("style", pa.string(), "Name of its style, where it has one.", nullable=True),
        column("language", pa.string(), "BCP 47, where known.", nullable=True),
        column("label", pa.string(), "What the file's name says besides, as forced."),
        ORIGIN_COLUMN,
        REFUSED_COLUMN,
    ]
)
"""One row a cue, by file or stream, then by time; times are exact to the millisecond."""

Row = dict[str, Any]


def cue_rows(cues: Iterable[Cue], origin: str, label: str = "", language: str | None = None) -> Iterator[Row]:
    """Rows of the cues of a file or stream whose language is known or not."""
    for cue in cues:
        start = _milliseconds(cue.start)
        yield {
            "start_ms": start,
            # what is shown for less than a millisecond is shown
            "end_ms": max(start + 1, _milliseconds(cue.end)),
            "text": cue.text,
            "markup": cue.markup,
            "speaker": cue.speaker,
            "style": cue.style,
            "language": language_tag(cue.language) or language,
            "label": label,
            "origin": origin,
        }


def refused_row(origin: str, reason: str, label: str = "", language: str | None = None) -> Row:
    """The row of a file or stream that cannot be used."""
    return {"label": label, "language": language, "origin": origin, "refused": reason}


def indexed(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Rows as a table; each gets its number as `index`."""
    return pa.Table.from_pylist([{"index": index, **row} for index, row in enumerate(rows)], schema=schema)


def _milliseconds(seconds: Fraction) -> int:
    """The nearest millisecond; half of one goes up."""
    return (seconds * 1000 + Fraction(1, 2)).__floor__()
