"""Rows of every replicated feature become annotations and back, bit for bit, whatever its schema lets them be."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.amber.keys import column_digests
from mediaml_assets.annotations.facts import Facts, Film
from mediaml_assets.annotations.replicated import replicated, rowed
from mediaml_assets.annotations.rows import Rowed
from mediaml_assets.errors import FeatureError, NotKept
from mediaml_assets.features.cue_rows import CUES
from mediaml_assets.features.quality import QUALITY
from mediaml_assets.features.shot_embedding import MOMENTS, SHOT_EMBEDDING
from mediaml_assets.features.shots import SHOTS
from mediaml_assets.marken.validation import validated
from mediaml_assets.matching.match_cuts import MATCH_CUTS

DIMENSIONS = 5
TITLES = ("harbour", "dunes", "kettle")
NTSC = Fraction(24000, 1001)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ROWED = replicated(DIMENSIONS)

Row = dict[str, Any]

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
share = st.floats(0, 1, width=32).map(abs)


def ranges(name: str, most: int = 10**6) -> st.SearchStrategy[Row]:
    """A half-open range of frames, of at least one."""
    pairs = st.tuples(st.integers(0, most), st.integers(1, 10**4))
    start, end = (f"{name}start", f"{name}end")
    return pairs.map(lambda pair: {start: pair[0], end: pair[0] + pair[1]})


def merged(*parts: st.SearchStrategy[Row]) -> st.SearchStrategy[Row]:
    return st.tuples(*parts).map(lambda rows: {name: value for row in rows for name, value in row.items()})


shots = merged(
    ranges(""),
    ranges("usable_"),
    st.fixed_dictionaries(
        {
            "transition": text,
            "transition_start": st.integers(0, 2**31 - 1),
            "transition_end": st.integers(0, 2**31 - 1),
            "confidence": share,
        }
    ),
)
milliseconds = st.integers(0, 10**11)
times = st.one_of(
    st.just({"start_ms": None, "end_ms": None}),
    st.tuples(milliseconds, st.integers(1, 10**7)).map(lambda p: {"start_ms": p[0], "end_ms": p[0] + p[1]}),
)
maybe = st.none() | text
cues = merged(
    times,
    st.fixed_dictionaries(
        {
            "text": maybe,
            "markup": maybe,
            "speaker": maybe,
            "style": maybe,
            "language": st.none() | st.sampled_from(["en", "de", "pt-BR", "ja", "und"]),
            "label": text,
            "origin": maybe,
            "refused": maybe,
        }
    ),
)
seconds = st.tuples(st.floats(0, 1e6).map(abs), st.floats(0.001, 1e4))
stretches = st.one_of(
    st.just({"start": None, "end": None}), seconds.map(lambda pair: {"start": pair[0], "end": pair[0] + pair[1]})
)
verdicts = merged(
    stretches,
    st.fixed_dictionaries({"concern": text, "verdict": text, "reasons": st.lists(text, max_size=3, unique=True)}),
)
number = st.floats(-1, 1, width=32)
vector = st.lists(number, min_size=DIMENSIONS, max_size=DIMENSIONS).filter(any) | st.just([0.0] * DIMENSIONS)
embeddings = st.fixed_dictionaries({name: vector for name in MOMENTS})
shot_of = st.tuples(st.sampled_from(TITLES), st.integers(0, 3))
pairs = st.fixed_dictionaries(
    {
        "flavour": st.sampled_from(["frame", "motion"]),
        "rank": st.integers(1, 10**6),
        "score": st.floats(0, 1).map(abs),
        "own_score": st.floats(0, 1).map(abs),
        "out_frame": st.integers(0, 2**31 - 1),
        "in_frame": st.integers(0, 2**31 - 1),
        "exact": st.booleans(),
        "tail": shot_of,
        "head": shot_of,
    }
)


def film(title: str) -> Film:
    start = np.arange(4, dtype=np.int64) * 50
    source = start / 24.0
    return Film(title, f"{title} essence", NTSC, np.arange(4, dtype=np.int64), start, start + 50, source, source + 2)


FACTS = cast(
    Facts,
    SimpleNamespace(
        rate=lambda _: NTSC,
        shots=lambda _: pa.table(
            {
                "index": pa.array(range(40), pa.int32()),
                "start": pa.array(range(40), pa.int32()),
                "end": pa.array(range(1, 41), pa.int32()),
            }
        ),
        film=film,
    ),
)
"""Of titles that are all alike."""


def indexed(rows: list[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{"index": index, **row} for index, row in enumerate(rows)], schema)


def cut_rows(drawn: list[Row], schema: pa.Schema) -> pa.Table:
    rows = {}
    for row in drawn:
        (title1, shot1), (title2, shot2) = row["tail"], row["head"]
        start1, start2 = shot1 * 50, shot2 * 50
        rows[row["flavour"], row["tail"], row["head"]] = row | {
            "title1": title1, "shot1": shot1, "start1": start1, "end1": start1 + 50,
            "title2": title2, "shot2": shot2, "start2": start2, "end2": start2 + 50,
        }  # fmt: skip
    return pa.Table.from_pylist([{name: row[name] for name in schema.names} for row in rows.values()], schema)


def plain(rows: list[Row], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist(rows, schema)


Make = Callable[[list[Row], pa.Schema], pa.Table]
DRAWN: dict[str, tuple[st.SearchStrategy[Row], pa.Schema, Make]] = {
    "shots": (shots, SHOTS, indexed),
    "subtitle_cues": (cues, CUES, indexed),
    "embedded_cues": (cues, CUES, indexed),
    "quality": (verdicts, QUALITY, plain),
    "shot_embedding": (embeddings, SHOT_EMBEDDING, indexed),
    "match_cuts": (pairs, MATCH_CUTS, cut_rows),
}


def annotations(one: Rowed, rows: pa.Table, title: str = "harbour") -> pa.Table:
    return validated(one.kind, one.to_batch(rows, FACTS, title), one.scope(title), one.feature, NOW)


def test_every_replicated_feature_is_drawn() -> None:
    assert set(DRAWN) == set(ROWED)
    with pytest.raises(
        FeatureError, match=r"motion cannot be copied to 'marken'.* it may be one of shots, subtitle_cues"
    ):
        rowed("motion", DIMENSIONS)


@pytest.mark.parametrize("feature", DRAWN)
@given(data=st.data())
@settings(max_examples=20)
def test_rows_become_annotations_and_back_bit_for_bit(feature: str, data: st.DataObject) -> None:
    check_there_and_back(feature, data)


@pytest.mark.slow
@pytest.mark.parametrize("feature", DRAWN)
@given(data=st.data())
@settings(max_examples=300, derandomize=False, print_blob=True)
def test_rows_become_annotations_and_back_for_long(feature: str, data: st.DataObject) -> None:
    check_there_and_back(feature, data)


def check_there_and_back(feature: str, data: st.DataObject) -> None:
    drawn, schema, make = DRAWN[feature]
    one = ROWED[feature]
    rows = make(data.draw(st.lists(drawn, max_size=12)), schema)
    found = annotations(one, rows)
    assert found.num_rows == rows.num_rows * one.per_row == len(found.column("id").unique())
    # an engine gives columns in the order of `row`, and of one row by id
    shuffled = found.take(pa.array(data.draw(st.permutations(range(found.num_rows))), pa.int64()))
    ordered = shuffled.sort_by([("row", "ascending"), ("id", "ascending")])
    again = one.to_rows(ordered.select(["row", *one.columns]))
    assert again.schema.equals(schema)
    assert column_digests(again) == column_digests(rows)
    # and the columns that it reads are all that it needs
    assert set(one.columns) <= set(found.column_names)


def test_entities_titles_and_times_are_what_they_should_be() -> None:
    rows = pa.Table.from_pylist(
        [
            {"index": 0, "start": 0, "end": 24, "usable_start": 0, "usable_end": 20, "transition": "start",
             "transition_start": 0, "transition_end": 0, "confidence": 1.0},
            {"index": 1, "start": 24, "end": 72, "usable_start": 28, "usable_end": 72, "transition": "dissolve",
             "transition_start": 20, "transition_end": 28, "confidence": 0.25},
        ],
        SHOTS,
    )  # fmt: skip
    found = annotations(ROWED["shots"], rows).to_pylist()
    assert [one["entity_id"] for one in found] == ["harbour/0", "harbour/1"]
    assert {one["entity_kind"] for one in found} == {"shot"} and {one["title"] for one in found} == {"harbour"}
    assert (found[1]["time_start"], found[1]["time_end"]) == (24 * 1001 / 24000, 72 * 1001 / 24000)
    assert (found[1]["usable_start_frame"], found[1]["transition"], found[1]["confidence"]) == (28, "dissolve", 0.25)


def test_a_cue_is_searched_by_its_words_and_two_features_do_not_replace_each_other() -> None:
    rows = pa.Table.from_pylist(
        [{"index": 0, "start_ms": 1500, "end_ms": 2750, "text": "The curtains close.", "markup": "", "label": "",
          "language": "en", "speaker": "Ann", "origin": "a.srt"}],
        CUES,
    )  # fmt: skip
    [cue] = annotations(ROWED["subtitle_cues"], rows).to_pylist()
    assert (cue["time_start"], cue["time_end"], cue["speaker"], cue["language"]) == (1.5, 2.75, "Ann", "en")
    assert "curtain" in cue["text_stems"] and cue["scope"] == "harbour/subtitle_cues" and cue["title"] == "harbour"
    [other] = annotations(ROWED["embedded_cues"], rows).to_pylist()
    assert other["scope"] == "harbour/embedded_cues" and other["id"] != cue["id"]


def test_the_moments_of_a_shot_are_three_annotations_and_nothing_seen_has_no_vector() -> None:
    rows = pa.Table.from_pylist([{"index": 7, "first": [1, 0], "middle": [0, 0], "last": [0, 1]}], SHOT_EMBEDDING)
    one = replicated(2)["shot_embedding"]
    found = {row["moment"]: row for row in annotations(one, rows).to_pylist()}
    assert {name: row["vector"] for name, row in found.items()} == {"first": [1, 0], "middle": None, "last": [0, 1]}
    assert {row["entity_id"] for row in found.values()} == {"harbour/7"} and one.kind.version == 2
    assert {(row["time_start_frame"], row["time_end_frame"]) for row in found.values()} == {(7, 8)}
    with pytest.raises(NotKept, match="the vectors of harbour have not the 3 numbers"):
        annotations(replicated(3)["shot_embedding"], rows)


def test_a_match_cut_is_of_two_titles_and_known_by_content_and_time() -> None:
    drawn = {
        "flavour": "motion", "rank": 1, "score": 0.9, "own_score": 0.5, "out_frame": 99, "in_frame": 150,
        "exact": True, "tail": ("harbour", 1), "head": ("dunes", 3),
    }  # fmt: skip
    [cut] = annotations(ROWED["match_cuts"], cut_rows([drawn], MATCH_CUTS), "_catalogue").to_pylist()
    assert (cut["title"], cut["other_title"], cut["scope"]) == ("harbour", "dunes", "_catalogue")
    assert cut["entity_kind"] == "pair"
    assert cut["entity_id"] == "harbour essence@2083-4083>dunes essence@6250-8250"
    assert (cut["other_time_start_frame"], cut["other_time_end_frame"], cut["match_score"]) == (150, 200, 0.9)
    stale = cut_rows([drawn], MATCH_CUTS).set_column(8, MATCH_CUTS.field("start1"), pa.array([49], pa.int32()))
    with pytest.raises(NotKept, match="not of the shots that harbour has now"):
        annotations(ROWED["match_cuts"], stale, "_catalogue")
