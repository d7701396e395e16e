from io import BytesIO
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from mediaml_assets.errors import QueryRefused
from mediaml_assets.marken.faces.exports import parquet
from mediaml_assets.marken.faces.exports.parquet import write_parquet
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property

from .forms import HOSTILE, form

FACE = AnnotationType(
    "FACE", 1, "A face.", (Property("embedding", Kind.VECTOR, "", dimensions=2),), (TEMPORAL_SPATIAL, ALGORITHM)
)
TAG = AnnotationType(
    "TAG", 1, "Words.", (Property("words", Kind.STRINGS, ""), Property("times", Kind.INTEGER, "")), (ALGORITHM,)
)


def test_duckdb_reads_every_part_of_every_property(tmp_path: Path) -> None:
    seconds = form(1, time={"start": 1.5, "end": 2.0}, region="POINT (0.5 0.5)", label="a", confidence=0.5)
    frames = {"start": 1.001, "end": 2.002, "start_frame": 24, "end_frame": 48, "rate": "24000/1001"}
    forms = [
        seconds,
        form(2, time=frames, embedding=[0.5, -1.0]),
        form(3, words=["x", "y"], times=2**62) | {"type": "TAG"},
    ]
    with (tmp_path / "out.parquet").open("wb") as out:
        assert write_parquet([forms[:1], forms[1:]], out, [FACE, TAG]) == 3
    rows = duckdb.sql(f"from '{tmp_path}/out.parquet' order by id").fetchall()
    named = [dict(zip(pq.read_schema(tmp_path / "out.parquet").names, row, strict=True)) for row in rows]
    assert [(one["id"], one["version"], one["entity_kind"], one["entity_id"]) for one in named] == [
        (f"one-{number}", 3, "title", "harbour-film") for number in (1, 2, 3)
    ]
    assert named[0]["created"].isoformat().endswith("00.123456+00:00")
    assert [(one["time_start"], one["time_end"], one["region"]) for one in named[:2]] == [
        (1.5, 2.0, "POINT (0.5 0.5)"),
        (1.001, 2.002, None),
    ]
    frame_parts = ("time_start_frame", "time_end_frame", "time_rate_num", "time_rate_den")
    assert [[one[part] for part in frame_parts] for one in named] == [[None] * 4, [24, 48, 24000, 1001], [None] * 4]
    assert [one["embedding"] and list(one["embedding"]) for one in named] == [None, [0.5, -1.0], None]
    assert (named[2]["words"], named[2]["times"], named[2]["label"]) == (["x", "y"], 2**62, None)
    assert not [name for name in named[0] if name.endswith(("_stems", "_x0", "_is_box"))]


def test_pages_are_gathered_into_row_groups_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_GROUP", 4)
    out = BytesIO()
    assert write_parquet([[form(3 * page + one) for one in range(3)] for page in range(5)], out, [FACE]) == 15
    file = pq.ParquetFile(out)
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [6, 6, 3]
    assert file.read(["id"])["id"].to_pylist() == [f"one-{number}" for number in range(15)]


def test_an_empty_export_has_its_columns_and_hostile_text_is_text() -> None:
    out = BytesIO()
    assert write_parquet([], out, [TAG]) == 0 and "words" in pq.read_table(out).column_names
    out = BytesIO()
    write_parquet([[form(label=label) for label in HOSTILE]], out, [FACE])
    assert pq.read_table(out)["label"].to_pylist() == HOSTILE


def test_two_meanings_of_one_name_are_refused_before_anything_is_written() -> None:
    other = AnnotationType("OTHER", 2, "", (Property("confidence", Kind.STRING, ""),))
    out = BytesIO()
    with pytest.raises(
        QueryRefused, match=r"FACE@1 and OTHER@2 both have confidence, as double and as string"
    ) as refused:
        write_parquet([[form()]], out, [FACE, other])
    assert refused.value.place == "types" and out.getvalue() == b""
