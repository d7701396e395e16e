"""A stock of annotations for tests of searches: random, but of few values, so that there are ties, nulls, equal bounds.

The same for every engine that is given the same seed.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mediaml_assets.marken.annotation import annotations
from mediaml_assets.marken.engine import Engine
from mediaml_assets.marken.marken import Marken
from mediaml_assets.marken.schema import ALGORITHM, TEMPORAL_SPATIAL, AnnotationType, Kind, Property
from mediaml_assets.marken.types import Types
from mediaml_assets.marken.validation import validated
from mediaml_assets_tests.marken.oracle import Annotation
from mediaml_assets_tests.marken.strategies import (
    EDGES,
    INTEGERS,
    NUMBERS,
    PEOPLE,
    REMARK,
    SCENE,
    TAGS,
    TITLES,
    WORDS,
    strings_of,
)

FACE = AnnotationType(
    "FACE",
    1,
    "Somebody in sight; has less than a scene, of the same names and kinds.",
    own=(
        Property("place", Kind.STRING, "Where it plays."),
        Property("look", Kind.VECTOR, "How it looks.", dimensions=4),
        Property("sound", Kind.VECTOR, "How it sounds.", dimensions=3, encoder="shot_sound"),
    ),
    bases=(TEMPORAL_SPATIAL, ALGORITHM),
)
FACE_2 = AnnotationType("FACE", 2, FACE.about, (*FACE.own, Property("name", Kind.TEXT, "Whose.")), FACE.bases)
TYPES = Types([SCENE, REMARK, FACE, FACE_2])
ODD = ("0", "a.b_c-d", "S01E02", "z" * 100)
"""Valid slugs that an engine could stumble over."""


class Stock:
    """What an engine was filled with."""

    def __init__(self, marken: Marken, moments: Sequence[tuple[str, Sequence[Annotation]]]) -> None:
        """`moments`: the name of each moment and everything in sight then, the newest last."""
        self.marken, self.moments = marken, moments


def stocked(engine: Engine, seed: int, most: int = 60) -> Stock:
    """Fill an empty engine by loads, loads again and remarks.

    Args:
        engine: empty.
        seed: of everything random.
        most: annotations of one load, at most.
    """
    draw = random.Random(seed)
    seen: dict[tuple[str, int, str], list[Annotation]] = {}
    remarks: dict[str, Annotation] = {}
    moments = []
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    titles = (*TITLES, *ODD)
    for number in range(30):
        clock += timedelta(hours=7, microseconds=draw.randrange(10**6))
        title, by = draw.choice(titles), draw.choice(PEOPLE)
        if number % 3 == 2:
            batch = [_json(draw, REMARK, draw.choice(titles), titles) for _ in range(4)]
            # one remark of a person on each thing
            once = {one["entity"]["id"]: one for one in batch}
            kept = engine.append(REMARK, validated(REMARK, list(once.values()), "", by, clock))
            remarks |= {one.id: one.to_json() for one in annotations(REMARK, kept)}
        else:
            kind = draw.choice([SCENE, SCENE, FACE, FACE_2])
            operation = engine.start(kind, title, by, {})
            batch = [_json(draw, kind, title, titles) | {"id": f"id-{at}"} for at in range(draw.randrange(most))]
            rows = validated(kind, batch, title, by, clock)
            engine.upsert(operation, rows)
            engine.finish(operation)
            numbered = [one.to_json() | {"version": operation.number} for one in annotations(kind, rows)]
            seen[kind.name, kind.version, title] = numbered
        if number in (0, 14, 21, 29):
            everything = [one for load in seen.values() for one in load] + list(remarks.values())
            moments.append((engine.snapshot().moment, everything))
        if number == 21:
            engine.tidy()
    return Stock(Marken(engine, TYPES), moments)


def _json(draw: random.Random, kind: AnnotationType, title: str, titles: Sequence[str]) -> dict[str, Any]:
    """An annotation in JSON form without id; one of four properties is missing, and one of four is of a pair."""
    found: dict[str, Any] = {"title": title, "entity": {"kind": "shot", "id": f"{title}/{draw.randrange(6)}"}}
    if draw.random() < 0.25:
        other = draw.choice([one for one in titles if one != title])
        found |= {"other_title": other, "entity": {"kind": "pair", "id": f"{title}+{other}"}}
    chosen = (one for one in kind.properties.values() if one.mandatory or draw.random() < 0.75)
    return found | {"properties": {one.name: _value(draw, one) for one in chosen}}


def _value(draw: random.Random, one: Property) -> Any:
    match one.kind:
        case Kind.STRING:
            return draw.choice(strings_of(one))
        case Kind.TEXT:
            return ", ".join(draw.choices(WORDS, k=draw.randrange(4)))
        case Kind.INTEGER:
            return draw.choice(INTEGERS)
        case Kind.NUMBER:
            return draw.choice(NUMBERS)
        case Kind.BOOLEAN:
            return draw.random() < 0.5
        case Kind.STRINGS:
            return draw.sample(TAGS, draw.randrange(len(TAGS)))
        case Kind.TIME_RANGE:
            start, length = draw.randrange(12), draw.randrange(1, 4)
            if draw.random() < 0.2:
                return {"start_frame": start, "end_frame": start + length, "rate": draw.choice(["2/1", "24000/1001"])}
            return {"start": start / 2, "end": (start + length) / 2}
        case Kind.REGION:
            (x0, x1), (y0, y1) = (sorted(draw.sample(EDGES, 2)) for _ in "xy")
            if draw.random() < 0.3:
                return f"POLYGON (({x0} {y0}, {x1} {y0}, {x1} {y1}, {x0} {y0}))"
            return [x0, y0, x1, y1]
        case Kind.VECTOR:
            return draw.choices([-1.0, 0.5, 1.0], k=one.dimensions)
