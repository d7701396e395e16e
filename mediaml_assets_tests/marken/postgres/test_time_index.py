"""The condition that is added for the index of times changes no answer, and lets the index answer."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from mediaml_assets.marken.engine import Selection
from mediaml_assets.marken.postgres.layout import Rows
from mediaml_assets.marken.postgres.time_index import implied
from mediaml_assets.marken.query.nodes import And, Column, Compare, Comparison, Node, Not, Or, Value
from mediaml_assets.marken.rows import row_schema
from mediaml_assets.marken.schema import Kind
from mediaml_assets_tests.marken.canonical import SPOT, canonical, spots
from mediaml_assets_tests.marken.plain_filter import holds

from .conftest import Opener

ROWS = Rows(1, "SPOT", 1, False, {field.name: field for field in row_schema(SPOT)})
STEPS = st.integers(0, 6)
COLUMNS = st.sampled_from(["time_start", "time_end", "confidence"]).map(lambda name: Column(name, Kind.NUMBER, "time"))
OPERANDS = st.one_of(COLUMNS, STEPS.map(Value), STEPS.map(float).map(Value))
COMPARED = st.builds(Compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), OPERANDS, OPERANDS)
NODES: st.SearchStrategy[Node] = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(And),
        st.lists(inner, min_size=1, max_size=3).map(tuple).map(Or),
        inner.map(Not),
    ),
)


def _compared(op: Comparison, part: str, value: float) -> Node:
    return Compare(op, Column(f"time_{part}", Kind.NUMBER, "time"), Value(value))


@given(NODES)
@example(And((_compared(">", "start", 0.0), _compared("=", "end", 2.0))))
@example(And((_compared("<", "start", 2.0), _compared("=", "end", 2.0))))
@example(And((_compared(">=", "end", 2.0), _compared("<=", "end", 2.0))))
def test_what_a_filter_finds_overlaps(node: Node) -> None:
    for start in range(6):
        for end in range(start + 1, 7):
            row: dict[str, Any] = {"time_start": float(start), "time_end": float(end), "confidence": 3.0}
            if holds(node, row):
                for one in implied(node, ROWS):
                    low, high = one.parameters
                    # half-open on the one hand, closed on the other
                    assert start <= high and end > low


def _between(low: float, high: float) -> Node:
    start, end = (Column(name, Kind.NUMBER, "time") for name in ("time_start", "time_end"))
    return And((Compare("<", start, Value(high)), Compare(">", end, Value(low))))


def test_bounds_of_both_ends_make_one_range() -> None:
    [one] = implied(_between(3.0, 5), ROWS)
    low, high = one.parameters
    assert 2.99 < low <= 3.0 and high == 5.0 and "&&" in one.text
    assert implied(Or((_between(3, 5),)), ROWS) == [] and implied(None, ROWS) == []
    assert implied(_between(5, 3), ROWS) == [], "no range goes backwards; the filter itself finds what there is"


def test_the_index_answers(opened: Opener, database: str) -> None:
    engine = opened([database])
    operation = engine.start(SPOT, "alpha", "tester", {})
    engine.upsert(operation, spots("alpha", 5000))
    engine.finish(operation)
    engine.tidy()
    asked = Selection([SPOT], ["id"], _between(2500.5, 2503))
    told = engine.snapshot().explain(asked)
    assert any("seconds_idx" in line for one in told["statements"] for line in one["plan"]), told
    assert engine.snapshot().select(asked)["id"].to_pylist() == ["alpha-2500", "alpha-2501", "alpha-2502"]


def test_the_few_regions_that_are_no_boxes_are_found_by_themselves(opened: Opener, database: str) -> None:
    """Every search over boxes asks for them."""
    engine = opened([database])
    operation = engine.start(SPOT, "alpha", "tester", {})
    rows = [{"id": f"{at:05d}", "region": "POLYGON EMPTY", "region_is_box": at % 2500 > 0} for at in range(5000)]
    engine.upsert(operation, canonical(SPOT, "alpha", rows))
    engine.finish(operation)
    engine.tidy()
    asked = Selection([SPOT], ["id"], Not(Compare("=", Column("region_is_box", Kind.BOOLEAN, "region"), Value(True))))
    told = engine.snapshot().explain(asked)
    assert any("region_is_box_idx" in line for one in told["statements"] for line in one["plan"]), told
    assert engine.snapshot().select(asked)["id"].to_pylist() == ["00000", "02500"]
