"""`docs/marken/search.md`: its examples find what it says, and its code runs as it is written."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property
from mediaml_assets.marken.search.envelope import Query
from mediaml_assets.marken.types import Types
from mediaml_assets_tests.marken.plain_engine import PlainEngine

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "marken" / "search.md").read_text()
EMBEDDING = Property("embedding", Kind.VECTOR, "Of the middle frame.", dimensions=2)
SHOT = AnnotationType("SHOT", 1, "A shot.", (EMBEDDING,), (TEMPORAL_SPATIAL, ALGORITHM))
FACE = AnnotationType("FACE", 1, "Somebody.", (), (TEMPORAL_SPATIAL, ALGORITHM))


@pytest.fixture
def marken() -> Marken:
    made = Marken(PlainEngine(), Types([SHOT, FACE]))
    shots = {
        "harbour": [(0, 5, "indoor", [1, 0]), (5, 8, "indoor", [0.8, 0.6]), (8, 9, "street", [0, 1])],
        "station": [(0, 4, "indoor", [0.6, 0.8])],
    }
    for title, some in shots.items():
        with made.operation("SHOT", title, "shots") as operation:
            operation.upsert(
                [
                    {
                        "id": f"{title}/{number}",
                        "entity": {"kind": "shot", "id": f"{title}/{number}"},
                        "properties": {
                            "time": {"start": start, "end": end},
                            "label": label,
                            "embedding": embedding,
                            "confidence": 0.9,
                        },
                    }
                    for number, (start, end, label, embedding) in enumerate(some, 1)
                ]
            )
    with made.operation("FACE", "harbour", "faces") as operation:
        operation.upsert([{"id": "james-1", "time": {"start": 3, "end": 9}, "label": "James"}])
    return made


def shown(hit: Any) -> list[Any]:
    """As the page shows hits."""
    if "members" in hit:
        return [hit["title"], hit["start"], hit["end"], hit["members"], round(hit["score"], 6)]
    if "group" in hit:
        return [hit["group"], [one["id"] for one in hit["inner_hits"]]]
    return [hit["id"], round(hit["score"], 6)]


def test_the_examples_find_what_the_page_says(marken: Marken) -> None:
    examples = re.findall(r"```json\n([^`]*)```\n\nfinds\n\n```json\n([^`]*)```", DOCUMENT)
    assert len(examples) == 3
    for query, wanted in examples:
        assert [shown(hit) for hit in marken.search(json.loads(query)).hits] == json.loads(wanted)


def test_the_code_runs_as_it_is_written(marken: Marken, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"marken": marken}
    for code in re.findall(r"```python\n(.*?)```", DOCUMENT, re.S):
        exec(code, names)
    assert capsys.readouterr().out.count("{'start':") == 4
    assert [hit["id"] for hit in names["found"]] == ["harbour/1", "station/1", "harbour/2", "harbour/3"]
    assert names["again"].hits == names["found"][:2]


def test_every_field_is_described() -> None:
    table = re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.M)
    assert table == list(Query.model_fields)
