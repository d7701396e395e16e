"""A small Marken to serve: shots and how they look, and people's decisions, of the types of this package."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from mediaml_assets.annotations.types import package_types
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.faces import examples
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.types import Types

from ..plain_engine import PlainEngine

TYPES = Types(package_types(4))
LABELS = ["a red car", "James at the window", "drinking wine", "indoor, an empty hall", "the red curtain"]


class WordEncoder:
    """Says how many of four letters a text has; a stand-in for a model."""

    def vectors(self, to: Mapping[str, Any]) -> npt.NDArray[np.float32]:
        said = str(to.get("text") or to.get("image") or "")
        return np.array([1 + said.count(letter) for letter in "aeio"], np.float32)


def shots(title: str, count: int) -> list[dict[str, Any]]:
    """One after the other, 2 s each."""
    return [
        {
            "id": f"{title}-{index}",
            "entity": {"kind": "shot", "id": f"{title}/{index}"},
            "row": index,
            "index": index,
            "time": {"start": 2.0 * index, "end": 2.0 * index + 2},
            "region": [0.1, 0.1, 0.5, 0.5] if index % 2 else "POLYGON ((0 0, 1 0, 0.5 1, 0 0))",
            "label": LABELS[index % len(LABELS)],
            "confidence": (index % 10) / 10,
        }
        for index in range(count)
    ]


def embeddings(title: str, count: int) -> list[dict[str, Any]]:
    """What those shots look like."""
    words, names = WordEncoder(), ("entity", "row", "index", "time")
    return [
        {name: one[name] for name in names}
        | {
            "id": f"{title}-vector-{one['index']}",
            "vector": words.vectors({"text": f"{one['label']} {one['index']}"}).tolist(),
        }
        for one in shots(title, count)
    ]


def filled(engine: Engine | None = None, titles: int = 3, count: int = 15) -> Marken:
    """With shots of some titles and how they look, and one decision."""
    marken = Marken(engine or PlainEngine(), TYPES, {"shot_embedding": WordEncoder()})
    for title in ["harbour-film", "night-film", *(f"film-{number}" for number in range(2, titles))][:titles]:
        for kind, rows in (("SHOT", shots(title, count)), ("SHOT_EMBEDDING", embeddings(title, count))):
            with marken.operation(kind, title, by="shot-detector") as operation:
                operation.upsert(rows)
    marken.append("EDITOR_DECISION", [decision("accepted")], by="kim")
    return marken


def decision(said: str) -> dict[str, Any]:
    return {**examples.APPEND["annotations"][0], "verdict": said}


NOW = datetime(2026, 11, 27, tzinfo=UTC)
