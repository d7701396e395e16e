"""Checks in a line: what passes, what fails, and which row and value the reason names."""

from dataclasses import replace

import dagster as dg
import pyarrow as pa
import pytest

from mediaml_assets.amber.checks import at_least, in_range, increasing, no_nans, unique, unit_norm
from mediaml_assets.amber.code.drift import changes
from mediaml_assets.amber.code.fingerprint import fingerprint
from mediaml_assets.amber.code.parts import code_of, parts_of
from mediaml_assets.amber.feature import Check, amber_feature
from mediaml_assets.errors import FeatureError
from mediaml_assets_tests.amber.toy import Letters, letters

NAN, INF = float("nan"), float("inf")
VECTOR = pa.list_(pa.float32())
SQUARE = pa.list_(pa.float32(), 2)


def rows(values: list[object], kind: pa.DataType | None = None) -> pa.Table:
    whole = pa.array(values, kind)
    return pa.table({"a": pa.chunked_array([whole[:1], whole[1:]])})


PASSES = [
    (at_least(2), rows([1, 2])),
    (at_least(0), rows([1]).slice(1)),
    (in_range("a", 0, 1), rows([0.0, 1.0, None])),
    (in_range("a", None, 5), rows([-1000, 5])),
    (in_range("a", 1, None), rows([1, INF])),
    (in_range("a", 0, 1), rows([[0.5, 1], None, []], VECTOR)),
    (no_nans("a"), rows([1.0, None])),
    (no_nans("a"), rows([[1, 2], [3, 4]], SQUARE)),
    (unit_norm("a"), rows([[0.6, 0.8], None, [0, -1]], SQUARE)),
    (unit_norm("a", 0.1), rows([[1.05], [1]], VECTOR)),
    (unique("a"), rows(["x", "y"])),
    (increasing("a"), rows([1, 2, 5])),
    (increasing("a"), rows([1])),
    (increasing("a"), rows(["a", "b"])),
]

FAILS = [
    (at_least(2), rows([1]), "there are 1 rows, fewer than 2"),
    (in_range("a", 0, 1), rows([0.5, 1.5, NAN, -2]), "a of row 1 is 1.5, not in [0, 1] (and 2 more rows)"),
    (in_range("a", 0, None), rows([None, -1]), "a of row 1 is -1, not in [0, inf)"),
    (in_range("a", 0, 1), rows([[0], [], [1, 2, 3]], VECTOR), "a of row 2 is 2, not in [0, 1]"),
    (no_nans("a"), rows([1.0, INF]), "a of row 1 is inf, no finite number"),
    (no_nans("a"), rows([[1, 2], [3, NAN]], SQUARE), "a of row 1 is nan, no finite number"),
    (unit_norm("a"), rows([[1, 0], [3, 4]], SQUARE), "the length of a of row 1 is 5, not 1 within 0.01"),
    (
        unit_norm("a"),
        rows([[1], [], [NAN]], VECTOR),
        "the length of a of row 1 is 0, not 1 within 0.01 (and 1 more row)",
    ),
    (unique("a"), rows(["x", "y", "x", "z", "z"]), "2 rows share a 'x' (and 1 more value)"),
    (increasing("a"), rows([1, 3, 3, 2]), "a of row 2 is 3, not greater than the 3 before it (and 1 more row)"),
]


@pytest.mark.parametrize(("check", "table"), PASSES)
def test_passes(check: Check, table: pa.Table) -> None:
    assert check.failure(table) is None


@pytest.mark.parametrize(("check", "table", "reason"), FAILS)
def test_fails_and_names_row_and_value(check: Check, table: pa.Table, reason: str) -> None:
    assert check.failure(table) == reason


def test_a_pair_of_columns_may_be_unique_where_each_is_not() -> None:
    table = pa.table({"a": [1, 1, 2], "b": ["x", "y", "x"]})
    assert unique("a", "b").failure(table) is None
    assert unique("a").failure(table) == "2 rows share a 1"
    again = pa.concat_tables([table, table.slice(2)])
    assert unique("a", "b").failure(again) == "2 rows share a 2 and b 'x'"


def test_checks_have_names_and_descriptions_that_dagster_takes() -> None:
    checks = [*{check.name: check for check, _ in PASSES}.values(), unique("a", "b")]
    specs = [
        dg.AssetCheckSpec(one.name, asset="x", description=one.description, blocking=one.blocking) for one in checks
    ]
    assert len({spec.name for spec in specs}) == len(checks)
    assert in_range("a", 0, 1).description == "a lies in [0, 1]."
    assert in_range("a", 0, 1).blocking and not in_range("a", 0, 1, blocking=False).blocking


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ([in_range("letters", 0, 1)], "asks of letters, which is no column; it may be one of letter, place"),
        ([unique("letter", "x")], "asks of x"),
        ([at_least(1), at_least(1, blocking=False)], "a check named 'at_least_1'"),
        ([Check("code_unchanged", lambda rows: None, "")], "a check named 'code_unchanged'"),
        ([Check("no good", lambda rows: None, "")], "a check named 'no good'"),
    ],
)
def test_a_check_that_cannot_be_is_refused_when_declared(checks: list[Check], says: str) -> None:
    schema = pa.schema([("letter", pa.string()), ("place", pa.int32())])

    def lettered(letters: Letters) -> pa.Table: ...

    with pytest.raises(FeatureError, match=says):
        amber_feature(schema=schema, checks=checks)(lettered)


def test_any_column_gives_a_check_a_name() -> None:
    assert in_range("sound level (dB)", None, 0).name == "sound_level__dB__in_range"


def test_the_bounds_are_part_of_the_code() -> None:
    found = [fingerprint(in_range("a", low, 1).failure) for low in (0, 0.5, None)]
    parts = parts_of(in_range("a", 0, 1).failure)
    assert {"mediaml_assets.amber.checks._outside", "mediaml_assets.amber.checks._first"} <= parts.keys()
    assert len(set(found)) == 3 and found[0] == fingerprint(in_range("a", 0, 1).failure)


def test_a_bound_that_moved_is_shown_as_drift_of_that_check() -> None:
    before, after = (replace(letters, checks=(in_range("a", 0, 1), in_range("b", low, 1))) for low in (0, 0.5))
    (change,) = changes(code_of(before), code_of(after))
    assert str(change) == "check b_in_range changed"
    assert change.diff.splitlines()[:2] == ["-args = ('b', 0, 1)", "+args = ('b', 0.5, 1)"]
