"""Match cuts as annotations of pairs of shots (`MATCH_CUT_PAIR`), found under both titles."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from mediaml_assets.annotations.facts import ESSENCES, FILM, SHOT_RANGES, Facts, Film
from mediaml_assets.annotations.pairs import pair_ids
from mediaml_assets.annotations.rows import Rowed, frames, joined, numbered, of_schema, same
from mediaml_assets.annotations.types import MATCH_CUT_PAIR
from mediaml_assets.errors import NotKept
from mediaml_assets.matching.match_cuts import MATCH_CUTS

_NAMES = {
    "flavour": "flavour",
    "rank": "rank",
    "title1": "title",
    "shot1": "shot",
    "title2": "other_title",
    "shot2": "other_shot",
    "score": "match_score",
    "own_score": "own_score",
    "start1": "time_start_frame",
    "end1": "time_end_frame",
    "start2": "other_time_start_frame",
    "end2": "other_time_end_frame",
    "out_frame": "out_frame",
    "in_frame": "in_frame",
    "exact": "exact",
}
"""Column of the feature -> column of the annotation."""


def _to_batch(rows: pa.Table, facts: Facts, _: str) -> pa.Table:
    named = {theirs: rows.column(ours) for ours, theirs in _NAMES.items() if not theirs.endswith("_frame")}
    own = {name: rows.column(name) for name in ("out_frame", "in_frame")}
    sides = {**_side(rows, "1", "", facts), **_side(rows, "2", "other_", facts)}
    source = [f"{side}{column}" for side in ("", "other_") for column in _IDENTITY]
    titles = joined(
        rows.column("title1"), ":", rows.column("shot1"), ">", rows.column("title2"), ":", rows.column("shot2")
    )
    return pa.table(
        {
            "id": joined("match_cuts/", rows.column("flavour"), "/", titles),
            "entity_kind": same("pair", rows.num_rows, pa.string()),
            "entity_id": pair_ids(*(sides[name] for name in source)),
            "row": numbered(rows),
            **named,
            **own,
            **sides,
        }
    )


_IDENTITY = ("essence", "source_time_start", "source_time_end")


def _side(rows: pa.Table, number: str, prefix: str, facts: Facts) -> dict[str, pa.Array]:
    """Time and identity of the shots of one side: on the title's own clock, and in the delivered film."""
    titles = rows.column(f"title{number}").combine_chunks().dictionary_encode()
    films = [facts.film(title) for title in titles.dictionary.to_pylist()]
    of_film = np.asarray(titles.indices.to_numpy(zero_copy_only=False), np.int64)
    shots = np.asarray(rows.column(f"shot{number}").to_numpy(), np.int64)
    start, end = (rows.column(f"{one}{number}") for one in ("start", "end"))
    places = np.zeros(rows.num_rows, np.int64)
    for place, film in enumerate(films):
        mine = of_film == place
        places[mine] = _places(film, shots[mine], start.to_numpy()[mine], end.to_numpy()[mine])

    def of_titles(values: Sequence[object], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind).take(titles.indices)

    def of_shots(what: Callable[[Film], np.ndarray]) -> pa.Array:
        found = np.zeros(rows.num_rows)
        for place, film in enumerate(films):
            found[of_film == place] = what(film)[places[of_film == place]]
        return pa.array(found)

    num = of_titles([film.rate.numerator for film in films], pa.int32())
    den = of_titles([film.rate.denominator for film in films], pa.int32())
    return {
        **frames(f"{prefix}time", start, end, num, den),
        f"{prefix}essence": of_titles([film.essence for film in films], pa.string()),
        f"{prefix}source_time_start": of_shots(lambda film: film.source_start),
        f"{prefix}source_time_end": of_shots(lambda film: film.source_end),
    }


def _places(film: Film, shots: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Where some shots stand among those of a film; raises NotKept when they are others than it has now."""
    places = np.minimum(np.searchsorted(film.index, shots), max(len(film.index) - 1, 0))
    if (
        not len(film.index)
        or ((film.index[places] != shots) | (film.start[places] != start) | (film.end[places] != end)).any()
    ):
        raise NotKept(f"the match cuts are not of the shots that {film.title} has now; they are made again")
    return places


def _to_rows(found: pa.Table) -> pa.Table:
    return of_schema({ours: found.column(theirs) for ours, theirs in _NAMES.items()}, MATCH_CUTS)


MATCH_CUT_ROWS = Rowed(
    "match_cuts",
    MATCH_CUTS,
    MATCH_CUT_PAIR,
    _to_batch,
    _to_rows,
    tuple(_NAMES.values()),
    dict([ESSENCES, SHOT_RANGES, FILM]),
)
