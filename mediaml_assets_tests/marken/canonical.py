"""Types and canonical rows for tests of engines, made without validation: small, and known by heart."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Mode, Property

SPOT = AnnotationType(
    "SPOT",
    1,
    "Something seen somewhere for a while.",
    own=(
        Property("tags", Kind.STRINGS, "What else it is."),
        Property("count", Kind.INTEGER, "How many."),
        Property("seen", Kind.BOOLEAN, "Whether somebody looked."),
        Property("look", Kind.VECTOR, "What it looks like.", dimensions=4),
    ),
    bases=(TEMPORAL_SPATIAL, ALGORITHM),
)
SPOT_2 = AnnotationType("SPOT", 2, SPOT.about, (*SPOT.own, Property("size", Kind.NUMBER, "How big.")), SPOT.bases)
CUE = AnnotationType(
    "CUE", 1, "Something said.", own=(Property("words", Kind.TEXT, "The words."),), bases=(TEMPORAL_SPATIAL,)
)
VERDICT = AnnotationType(
    "VERDICT",
    1,
    "What a person thinks of a pair.",
    own=(Property("verdict", Kind.STRING, "accept or reject.", mandatory=True),),
    mode=Mode.LOG,
    key=("entity_id", "by"),
)
VERDICT_2 = AnnotationType(
    "VERDICT", 2, VERDICT.about, (*VERDICT.own, Property("why", Kind.TEXT, "Reason.")), mode=Mode.LOG, key=VERDICT.key
)

CREATED = datetime(2026, 5, 1, 12, tzinfo=UTC)


def canonical(kind: AnnotationType, scope: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of a type; what is not given is null, or follows from the scope."""
    schema = row_schema(kind)
    fixed = {
        "version": 0,
        "type": kind.name,
        "type_version": kind.version,
        "scope": scope,
        "title": scope,
        "entity_kind": "title",
        "entity_id": scope,
        "by": "tester",
        "created": CREATED,
    }
    return pa.Table.from_pylist([{**fixed, **row} for row in rows], schema=schema)


def spots(scope: str, count: int, mark: int = 0, first: int = 0) -> pa.Table:
    """`count` spots of a title, one a second, all with `count` = mark."""
    return canonical(
        SPOT,
        scope,
        [
            {
                "id": f"{scope}-{number}",
                "time_start": float(number),
                "time_end": number + 1.0,
                "label": "a cup",
                "label_stems": ["a", "cup"],
                "confidence": 0.5,
                "count": mark,
                "tags": ["red", f"tag{number % 3}"],
                "look": [1.0, number, 0.0, 0.0],
            }
            for number in range(first, first + count)
        ],
    )


def verdict(pair: str, by: str, said: str, kind: AnnotationType = VERDICT, **more: Any) -> pa.Table:
    """One person's verdict on a pair `<title>+<other title>`."""
    title, other = pair.split("+")
    row = {
        "id": f"{pair}/{by}",
        "title": title,
        "other_title": other,
        "entity_kind": "pair",
        "entity_id": pair,
        "by": by,
        "verdict": said,
    }
    return canonical(kind, title, [{**row, **more}])
