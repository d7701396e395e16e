"""Shots as annotations (`SHOT`), frames at the rate of the standard encode."""

import pyarrow as pa

from mediaml_assets.annotations.facts import CLOCK, Facts
from mediaml_assets.annotations.rows import Rowed, about, frames, joined, numbered, of_schema, same
from mediaml_assets.annotations.types import SHOT
from mediaml_assets.features.shots import SHOTS

_AS_THEY_ARE = ("index", "transition", "transition_start", "transition_end", "confidence")


def _to_batch(rows: pa.Table, facts: Facts, title: str) -> pa.Table:
    rate, count = facts.rate(title), rows.num_rows
    num, den = same(rate.numerator, count, pa.int32()), same(rate.denominator, count, pa.int32())
    entity = joined(title, "/", rows.column("index"))
    return pa.table(
        {
            "id": joined("shots/", entity),
            **about(title, "shot", entity, count),
            "row": numbered(rows),
            **frames("time", rows.column("start"), rows.column("end"), num, den),
            **frames("usable", rows.column("usable_start"), rows.column("usable_end"), num, den),
            **{name: rows.column(name) for name in _AS_THEY_ARE},
        }
    )


def _to_rows(found: pa.Table) -> pa.Table:
    ranges = {
        f"{ours}{end}": found.column(f"{theirs}_{end}_frame")
        for ours, theirs in (("", "time"), ("usable_", "usable"))
        for end in ("start", "end")
    }
    return of_schema({**ranges, **{name: found.column(name) for name in _AS_THEY_ARE}}, SHOTS)


SHOT_ROWS = Rowed(
    "shots",
    SHOTS,
    SHOT,
    _to_batch,
    _to_rows,
    ("time_start_frame", "time_end_frame", "usable_start_frame", "usable_end_frame", *_AS_THEY_ARE),
    dict([CLOCK]),
)
