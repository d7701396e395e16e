"""Relations of regions to a geometry of the query, and IoU.

Between two boxes a relation is comparisons of their edges. Of other regions the snapshot tells those whose bounding box
meets the geometry's, GEOS tells of which of them it holds, and the condition names these.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import shapely

from mediaml_assets.marken import regions
from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.query.asking import Asking
from mediaml_assets.marken.query.nodes import And, Column, Compare, Comparison, Node, Not, OneOf, Or, Value
from mediaml_assets.marken.query.source import Path
from mediaml_assets.marken.schema import Kind

_TURNED = {"s_within": "s_contains", "s_contains": "s_within"}
"""What a relation is from the other side; the rest are their own."""


def related(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """S_INTERSECTS and the others (OGC Simple Features), between a region and a literal, either first."""
    asking.arguments(op, args, path, 2)
    column, geometry, first = _sides(op, args, path, asking)
    relation = op if first == 0 else _TURNED.get(op, op)
    if relation == "s_disjoint":
        return Not(_holds("s_intersects", column, geometry, asking))
    return _holds(relation, column, geometry, asking)


def is_iou(tree: Any) -> bool:
    """Whether a tree is IOU(...)."""
    return isinstance(tree, Mapping) and str(tree.get("op")).lower() == "iou"


def compared_iou(op: str, args: Sequence[Any], path: Path, asking: Asking) -> Node:
    """IOU(region, geometry) compared with a number, either first."""
    asking.arguments(op, args, path, 2)
    at = 0 if is_iou(args[0]) else 1
    number = asking.number(args[1 - at], (*path, "args", 1 - at), "What IOU is compared with")
    inside = (*path, "args", at)
    column, geometry, _ = _sides("iou", asking.operation(args[at], inside)[1], inside, asking)
    found = asking.snapshot.distinct(asking.having(column), column.name, geometry.bounds)
    measured = regions.iou(found, geometry)
    compare = {
        "=": np.equal,
        "<>": np.not_equal,
        "<": np.less,
        "<=": np.less_equal,
        ">": np.greater,
        ">=": np.greater_equal,
    }[op]
    fits = compare(measured, number) if at == 0 else compare(number, measured)
    # regions that are not near have an IoU of 0
    far = compare(0.0, number) if at == 0 else compare(number, 0.0)
    named = [wkt for wkt, fit in zip(found, fits, strict=True) if fit != far]
    return Not(_any_of(column, named)) if far else _any_of(column, named)


def _sides(op: str, args: Sequence[Any], path: Path, asking: Asking) -> tuple[Column, shapely.Geometry, int]:
    """The region's column, the literal, and at which place the region stands."""
    asking.arguments(op, args, path, 2)
    places = [(*path, "args", number) for number in range(2)]
    columns = [asking.column(tree, place) for tree, place in zip(args, places, strict=True)]
    for column, place in zip(columns, places, strict=True):
        if column is not None and column.kind is not Kind.REGION:
            raise asking.refusal(place, f"{op.upper()} takes a region; {column.name!r} is of kind {column.kind}.")
    (first, second) = columns
    if (first is None) == (second is None):
        message = f"{op.upper()} takes a region property and a geometry such as BBOX(x0, y0, x1, y1)"
        raise asking.refusal(places[1], f"{message}; here are two of one sort.")
    if first is not None:
        return first, _geometry(args[1], places[1], asking), 0
    assert second is not None
    return second, _geometry(args[0], places[0], asking), 1


def _geometry(tree: Any, path: Path, asking: Asking) -> shapely.Geometry:
    if isinstance(tree, Mapping) and "bbox" in tree:
        edges = tree["bbox"]
        if not isinstance(edges, Sequence) or isinstance(edges, str) or len(edges) != 4:
            raise asking.refusal(path, "BBOX takes x0, y0, x1, y1.")
        box = [asking.number(edge, (*path, "bbox", number), "An edge") for number, edge in enumerate(edges)]
        if not (box[0] < box[2] and box[1] < box[3]):
            raise asking.refusal(path, "A BBOX has x0 < x1 and y0 < y1; without an area write POINT or LINESTRING.")
        return shapely.box(*box)
    if not isinstance(tree, Mapping) or "type" not in tree:
        raise asking.refusal(path, "Here a geometry is wanted: BBOX, POINT, LINESTRING, POLYGON or several of them.")
    try:
        made = shapely.from_geojson(json.dumps(tree))
        return regions.parse(str(regions.written(np.array([made]))[0]))
    except (shapely.GEOSException, ValueError, TypeError) as error:
        raise asking.refusal(path, f"The geometry {error}.") from None


def _holds(relation: str, column: Column, geometry: shapely.Geometry, asking: Asking) -> Node:
    if not regions.are_boxes(np.array([geometry]))[0]:
        found = asking.snapshot.distinct(asking.having(column), column.name, geometry.bounds)
        return _any_of(column, _those(relation, found, geometry))
    is_box = Compare("=", Column(f"{column.name}_is_box", Kind.BOOLEAN, column.name), Value(True))
    boxes = And((is_box, _between_boxes(relation, column, geometry.bounds)))
    not_box = Compare("=", is_box.left, Value(False))
    other = And((not_box, _all(column, geometry.bounds, "x0<=x1", "x1>=x0", "y0<=y1", "y1>=y0")))
    wanted = Selection(asking.having(column), (column.name,), where=other)
    found = asking.snapshot.select(wanted).column(column.name).unique().to_pylist()
    holding = _those(relation, found, geometry)
    return Or((boxes, _any_of(column, holding))) if holding else boxes


def _those(relation: str, found: Sequence[str], geometry: shapely.Geometry) -> list[str]:
    return [wkt for wkt, holds in zip(found, regions.holds(relation, found, geometry), strict=True) if holds]


def _any_of(column: Column, wkts: Sequence[str]) -> Node:
    """Whether a region is one of these; unknown where there is none."""
    if len(wkts) == 0:
        return Compare("<>", column, column)
    return OneOf(column, tuple(Value(str(wkt)) for wkt in wkts))


def _between_boxes(relation: str, column: Column, bounds: Sequence[float]) -> Node:
    """A relation of two boxes with an area."""
    edges = {
        "s_within": ("x0>=x0", "x1<=x1", "y0>=y0", "y1<=y1"),
        "s_contains": ("x0<=x0", "x1>=x1", "y0<=y0", "y1>=y1"),
        "s_equals": ("x0=x0", "x1=x1", "y0=y0", "y1=y1"),
        "s_intersects": ("x0<=x1", "x1>=x0", "y0<=y1", "y1>=y0"),
    }
    if relation in edges:
        return _all(column, bounds, *edges[relation])
    if relation == "s_crosses":
        # areas never do; where there is no region it is unknown
        return _any_of(column, ())
    insides_meet = _all(column, bounds, "x0<x1", "x1>x0", "y0<y1", "y1>y0")
    if relation == "s_touches":
        return And((_all(column, bounds, *edges["s_intersects"]), Not(insides_meet)))
    within, contains = (_all(column, bounds, *edges[name]) for name in ("s_within", "s_contains"))
    return And((insides_meet, Not(within), Not(contains)))


def _all(column: Column, bounds: Sequence[float], *edges: str) -> Node:
    """Comparisons of the region's edge with the box's, `x0<=x1` and so on."""
    values = dict(zip(("x0", "y0", "x1", "y1"), bounds, strict=True))
    compared: list[Node] = []
    for said in edges:
        edge = Column(f"{column.name}_{said[:2]}", Kind.NUMBER, column.property)
        compared.append(Compare(cast(Comparison, said[2:-2]), edge, Value(values[said[-2:]])))
    return And(tuple(compared))
