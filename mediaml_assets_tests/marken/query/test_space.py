"""Relations of regions: each of them over boxes that touch, hold and cross each other, and over what is no box."""

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
import shapely
import shapely.geometry

from mediaml_assets.marken.query.nodes import Node, OneOf
from mediaml_assets.marken.schema import TEMPORAL_SPATIAL, AnnotationType
from mediaml_assets_tests.marken.oracle import found
from mediaml_assets_tests.marken.query.table import TableSnapshot
from mediaml_assets_tests.marken.strategies import annotation, box, geometry

SPOT = AnnotationType("SPOT", 1, "Seen.", bases=(TEMPORAL_SPATIAL,))
RELATIONS = ["intersects", "disjoint", "within", "contains", "overlaps", "touches", "equals", "crosses"]
REGION = {"property": "region"}


@pytest.fixture(scope="module")
def random() -> Random:
    seed = int(os.environ.get("SEED", "1"))
    print(f"seed {seed}")
    return Random(seed)


@pytest.fixture(scope="module")
def snapshot(random: Random) -> Iterator[TableSnapshot]:
    with TableSnapshot({SPOT: [annotation(SPOT, random) for _ in range(80)]}) as made:
        yield made


@pytest.fixture(scope="module")
def literals(random: Random, snapshot: TableSnapshot) -> list[Any]:
    """Boxes and other geometries, of the grid that regions lie on; two are regions themselves, one crosses many."""
    kept = [one["properties"]["region"] for one in snapshot.annotations if "region" in one["properties"]]
    same = [shapely.geometry.mapping(shapely.from_wkt(region)) for region in kept[:2]]
    across = {"type": "LineString", "coordinates": [[0, 0.1], [1, 0.9]]}
    return [*({"bbox": list(box(random))} for _ in range(4)), *(geometry(random) for _ in range(4)), *same, across]


def _check(snapshot: TableSnapshot, filter: Any) -> int:
    for either in (filter, {"op": "not", "args": [filter]}):
        wanted = sorted(one["id"] for one in found(either, snapshot.annotations))
        assert snapshot.matching(either) == wanted, either
    return len(found(filter, snapshot.annotations))


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_holds_of_what_the_oracle_says(snapshot: TableSnapshot, literals: list[Any], relation: str) -> None:
    hits = 0
    for literal in literals:
        for args in ([REGION, literal], [literal, REGION]):
            hits += _check(snapshot, {"op": f"s_{relation}", "args": args})
    assert hits


@pytest.mark.parametrize("relation", RELATIONS)
def test_of_what_has_no_region_nothing_is_known_though_nothing_stands_in_the_relation(relation: str) -> None:
    boxes = [annotation(SPOT, Random(0)) | {"id": id, "properties": {}} for id in ("box", "none")]
    boxes[0]["properties"] = {"region": "POLYGON ((0.5 0.25, 0.5 0.75, 0.25 0.75, 0.25 0.25, 0.5 0.25))"}
    with TableSnapshot({SPOT: boxes}) as snapshot:
        for literal in ({"bbox": [0.1, 0.1, 0.2, 0.2]}, {"type": "Point", "coordinates": [0.9, 0.9]}):
            _check(snapshot, {"op": f"s_{relation}", "args": [REGION, literal]})


@pytest.mark.parametrize("op", ["=", "<>", "<", "<=", ">", ">="])
def test_iou_compares_as_the_oracle_says(snapshot: TableSnapshot, literals: list[Any], op: str) -> None:
    hits = 0
    for literal in literals:
        iou = {"op": "IOU", "args": [REGION, literal]}
        hits += _check(snapshot, {"op": op, "args": [iou, 0.26]})
        hits += _check(snapshot, {"op": op, "args": [0, iou]})
    assert hits


def _named(node: Node) -> list[str]:
    """The regions that a condition names."""
    if isinstance(node, OneOf):
        return [str(one.value) for one in node.values]
    return [wkt for one in getattr(node, "nodes", ()) for wkt in _named(one)]


def test_boxes_are_compared_and_never_named(snapshot: TableSnapshot) -> None:
    node = snapshot.node("S_INTERSECTS(region, BBOX(0, 0, 1, 1))")
    kept = {one["properties"].get("region") for one in snapshot.annotations} - {None}
    named = _named(node)
    assert named
    assert len(named) < len(kept)
    boxes = dict(snapshot.connection.execute("SELECT region, region_is_box FROM annotations").fetchall())
    assert not any(boxes[wkt] for wkt in named)
