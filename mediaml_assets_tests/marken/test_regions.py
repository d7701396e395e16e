"""Regions: read, written, snapped to the picture and compared."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.regions import (
    EDGE,
    LONGEST,
    MOST_POINTS,
    RELATIONS,
    are_boxes,
    holds,
    iou,
    outside,
    parse,
    parse_all,
    snapped,
    written,
)

SQUARE = "POLYGON ((0.2 0.2, 0.2 0.6, 0.6 0.6, 0.6 0.2, 0.2 0.2))"
coordinates = st.floats(0, 1) | st.integers(0, 8).map(lambda eighths: eighths / 8)


@pytest.mark.parametrize(
    ("wkt", "why"),
    [
        ("", "no WKT"),
        ("POINT", "no WKT"),
        ("POINT(0 0) POINT(1 1)", "no WKT"),
        ("point(0 0", "no WKT"),
        ("POINT EMPTY", "empty"),
        ("GEOMETRYCOLLECTION EMPTY", "empty"),
        ("POINT Z (0 0 0)", "two dimensions"),
        ("POINT(0 0 0)", "two dimensions"),
        ("POINT M (0 0 0)", "two dimensions"),
        ("POINT ZM (0 0 0 0)", "two dimensions"),
        ("LINESTRING(0 0, NaN 1)", "no finite number"),
        ("POINT(0 1e999)", "no finite number"),
        ("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))", "not valid .*Self-intersection"),
        ("POLYGON((0 0, 1 1, 1 0))", "no WKT|not valid"),
        ("LINESTRING(0 0)", "no WKT|not valid"),
        ("POINT(0 0)" + " " * LONGEST, "longer than"),
        (f"LINESTRING({', '.join(f'0 {n}' for n in range(MOST_POINTS + 1))})", "points"),
        ("SRID=4326;POINT(0 0)", "no WKT"),
        ("\ud83d", "no WKT"),
    ],
    ids=lambda value: str(value)[:30].encode("ascii", "replace").decode(),
)
def test_what_is_no_region_says_why(wkt: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(wkt)


def test_of_many_each_has_its_own_reason() -> None:
    geometries, reasons = parse_all(["POINT(0 0)", "", "POINT(9 9)", "POINT EMPTY"])
    assert [reason is None for reason in reasons] == [True, False, True, False]
    assert shapely.get_coordinates(geometries[[0, 2]]).tolist() == [[0, 0], [9, 9]]


def test_every_sort_of_geometry_is_read() -> None:
    for wkt in (
        "POINT(0 0)",
        "MULTIPOINT((0 0), (1 1))",
        "LINESTRING(0 0, 1 1)",
        "LINEARRING(0 0, 1 1, 1 0, 0 0)",
        "MULTILINESTRING((0 0, 1 1), (0 1, 1 0))",
        "POLYGON((0 0, 1 0, 1 1, 0 0), (0.5 0.25, 0.75 0.25, 0.75 0.5, 0.5 0.25))",
        "MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))",
        "GEOMETRYCOLLECTION(POINT(0 0), LINESTRING(0 0, 1 1))",
    ):
        assert parse(wkt).is_valid


@given(st.lists(st.tuples(coordinates, coordinates), min_size=2, max_size=6, unique=True))
def test_a_region_is_written_so_that_it_is_read_the_same(points: list[tuple[float, float]]) -> None:
    line = shapely.LineString(points)
    (wkt,) = written(np.array([line]))
    assert shapely.get_coordinates(parse(wkt)).tolist() == [[x, y] for x, y in points]


def test_a_little_beyond_the_picture_is_on_its_edge() -> None:
    some = np.array(
        [shapely.box(-EDGE / 2, 0.5, 0.5, 1 + EDGE / 2), shapely.Point(1 + 2 * EDGE, 0.5), shapely.Point(0.5, 0.5)]
    )
    assert outside(some).tolist() == [False, True, False]
    assert shapely.bounds(snapped(some[:1])[0]).tolist() == [0, 0.5, 0.5, 1]
    assert shapely.equals(snapped(some[2:])[0], some[2])


def test_a_rectangle_is_a_box_however_it_is_written() -> None:
    box = parse("POLYGON((0.1 0.2, 0.5 0.2, 0.5 0.6, 0.1 0.6, 0.1 0.2))")
    turned = parse("POLYGON((0.5 0.6, 0.5 0.2, 0.3 0.2, 0.1 0.2, 0.1 0.6, 0.5 0.6))")
    tilted = parse("POLYGON((0.5 0, 1 0.5, 0.5 1, 0 0.5, 0.5 0))")
    holed = shapely.box(0, 0, 1, 1).difference(shapely.box(0.4, 0.4, 0.6, 0.6))
    several = shapely.MultiPolygon([shapely.box(0, 0, 0.2, 0.2), shapely.box(0.5, 0.5, 1, 1)])
    line = parse("LINESTRING(0 0, 1 1)")
    found = np.array([box, turned, tilted, holed, several, line, shapely.Point(0, 0)])
    assert are_boxes(found).tolist() == [True, True, False, False, False, False, False]
    one, other = written(snapped(found[:2]))
    assert one == other


ORACLE = {
    # of two squares on a grid: what each relation says of where their sides lie
    "s_intersects": lambda a, b: a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3],
    "s_within": lambda a, b: b[0] <= a[0] and b[1] <= a[1] and a[2] <= b[2] and a[3] <= b[3],
    "s_contains": lambda a, b: ORACLE["s_within"](b, a),
    "s_equals": lambda a, b: a == b,
    "s_disjoint": lambda a, b: not ORACLE["s_intersects"](a, b),
    "s_touches": lambda a, b: ORACLE["s_intersects"](a, b) and not _inside(a, b),
    "s_overlaps": lambda a, b: _inside(a, b) and not ORACLE["s_within"](a, b) and not ORACLE["s_within"](b, a),
    # areas never cross areas
    "s_crosses": lambda a, b: False,
}


def _inside(a: list[int], b: list[int]) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])


@st.composite
def grid_boxes(draw: st.DrawFn) -> list[int]:
    x, y = (sorted(draw(st.lists(st.integers(0, 6), min_size=2, max_size=2, unique=True))) for _ in range(2))
    return [x[0], y[0], x[1], y[1]]


@given(st.lists(grid_boxes(), min_size=1, max_size=5), grid_boxes())
def test_relations_and_iou_of_boxes_are_those_of_their_sides(some: list[list[int]], asked: list[int]) -> None:
    wkts = written(shapely.box(*np.array(some, float).T))
    geometry = shapely.box(*asked)
    assert set(ORACLE) == set(RELATIONS)
    for relation, truth in ORACLE.items():
        assert holds(relation, wkts, geometry).tolist() == [truth(one, asked) for one in some], relation
    for one, found in zip(some, iou(wkts, geometry), strict=True):
        common = max(0, min(one[2], asked[2]) - max(one[0], asked[0])) * max(
            0, min(one[3], asked[3]) - max(one[1], asked[1])
        )
        area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, asked))
        assert found == pytest.approx(common / (area - common), abs=1e-12)


GEOMETRIES = [
    SQUARE,
    "POINT (0.2 0.2)",
    "POINT (0.4 0.4)",
    "POINT (0.9 0.9)",
    "LINESTRING (0 0.4, 1 0.4)",
    "LINESTRING (0.2 0.2, 0.6 0.2)",
    "POLYGON ((0.2 0.2, 0.6 0.2, 0.6 0.6, 0.2 0.2))",
    "MULTIPOINT ((0.4 0.4), (0.9 0.9))",
]


@pytest.mark.parametrize("relation", RELATIONS)
def test_relations_say_of_the_row_and_the_query_what_the_matrix_of_both_says(relation: str) -> None:
    """DE-9IM (OGC 06-103r4, 6.1.15): row's interior, boundary and exterior by the query's."""
    for asked in GEOMETRIES:
        geometry = parse(asked)
        for wkt, found in zip(GEOMETRIES, holds(relation, GEOMETRIES, geometry), strict=True):
            one = parse(wkt)
            assert found == _by_matrix(relation, one, geometry), (wkt, relation, asked)


def _by_matrix(relation: str, one: shapely.Geometry, other: shapely.Geometry) -> bool:
    dimensions = [int(shapely.get_dimensions(geometry)) for geometry in (one, other)]
    crossing = {True: "T*T******", False: "T*****T**"}[dimensions[0] < dimensions[1]]
    patterns = {
        "s_equals": ["T*F**FFF*"],
        "s_disjoint": ["FF*FF****"],
        "s_intersects": ["T********", "*T*******", "***T*****", "****T****"],
        "s_touches": ["FT*******", "F**T*****", "F***T****"],
        "s_within": ["T*F**F***"],
        "s_contains": ["T*****FF*"],
        "s_overlaps": {0: ["T*T***T**"], 1: ["1*T***T**"], 2: ["T*T***T**"]}[dimensions[0]],
        "s_crosses": ["0********"] if dimensions == [1, 1] else [crossing],
    }
    of_one_dimension = dimensions[0] == dimensions[1]
    if relation == "s_overlaps" and not of_one_dimension:
        return False
    if relation == "s_crosses" and of_one_dimension and dimensions != [1, 1]:
        return False
    return any(shapely.relate_pattern(one, other, pattern) for pattern in patterns[relation])


def test_iou_of_what_has_no_area_is_nothing() -> None:
    point = parse("POINT (0.4 0.4)")
    assert iou([SQUARE, "POINT (0.4 0.4)"], point).tolist() == [0, 0]
    assert iou([], point).tolist() == [] and holds("s_within", [], point).tolist() == []
    assert iou([SQUARE], parse(SQUARE)).tolist() == [1]


def test_a_concave_region_is_compared_by_its_shape_and_not_by_its_box() -> None:
    corner = "POLYGON ((0 0, 1 0, 1 0.2, 0.2 0.2, 0.2 1, 0 1, 0 0))"
    inside_its_box = parse("POLYGON ((0.5 0.5, 0.9 0.5, 0.9 0.9, 0.5 0.9, 0.5 0.5))")
    assert not holds("s_intersects", [corner], inside_its_box)[0]
    assert iou([corner], inside_its_box)[0] == 0
