"""Quality control as annotations (`QUALITY_EVENT`): verdicts over the whole title, and stretches of time."""

import pyarrow as pa

from mediaml_assets.annotations.facts import Facts
from mediaml_assets.annotations.rows import Rowed, about, joined, numbered, of_schema
from mediaml_assets.annotations.types import QUALITY_EVENT
from mediaml_assets.features.quality import QUALITY

_NAMES = {"concern": "label", "verdict": "verdict", "reasons": "reasons", "start": "time_start", "end": "time_end"}
"""Column of the feature -> column of the annotation."""


def _to_batch(rows: pa.Table, _: Facts, title: str) -> pa.Table:
    count = rows.num_rows
    return pa.table(
        {
            "id": joined(f"quality/{title}/", numbered(rows)),
            **about(title, "title", title, count),
            "row": numbered(rows),
            **{theirs: rows.column(ours) for ours, theirs in _NAMES.items()},
        }
    )


def _to_rows(found: pa.Table) -> pa.Table:
    return of_schema({ours: found.column(theirs) for ours, theirs in _NAMES.items()}, QUALITY)


QUALITY_ROWS = Rowed("quality", QUALITY, QUALITY_EVENT, _to_batch, _to_rows, tuple(_NAMES.values()), beside={})
