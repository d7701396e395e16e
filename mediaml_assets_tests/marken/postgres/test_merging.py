"""Rows of several tables in one order, against plain Python."""

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.marken.engine import Order, Per, Selection
from mediaml_assets.marken.postgres.merging import arranged, first_of_each

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        ("version", pa.int32()),
        ("number", pa.float64()),
        ("text", pa.string()),
    ]
)
NUMBERS = st.sampled_from([None, -0.0, 0.0, 1.5, -2.0])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "version": st.integers(1, 2),
            "number": NUMBERS,
            "text": st.sampled_from([None, "a", "é", "Z", "😀", "\uffee"]),
        }
    ),
    max_size=12,
).map(lambda rows: [{"id": f"{at % 5}", **row, "version": row["version"] + 2 * at} for at, row in enumerate(rows)])


def _key(row: dict[str, Any], order: list[Order]) -> list[Any]:
    found: list[Any] = []
    for one in order:
        value = row[one.column]
        rank: Any = 0
        if value is not None:
            rank = value if isinstance(value, (int, float)) else tuple(map(ord, value))
            if one.descending:
                rank = -rank if isinstance(value, (int, float)) else (*(-point for point in rank), 1)
        found.append((value is None, rank))
    return found


@given(ROWS, st.booleans(), st.booleans(), st.sampled_from([None, 1, 2]), st.data())
def test_rows_are_arranged_as_one_by_one(
    rows: list[dict[str, Any]], by_text: bool, descending: bool, size: int | None, data: st.DataObject
) -> None:
    order = [Order("text" if by_text else "number", descending), Order("number")]
    ordered = sorted(rows, key=lambda row: (_key(row, order), row["id"], row["version"]))
    seen: dict[Any, int] = {}
    for row in list(ordered):
        seen[row["number"]] = seen.get(row["number"], 0) + 1
        if size and seen[row["number"]] > size:
            ordered.remove(row)
    at = data.draw(st.integers(0, len(ordered)))
    after = [ordered[at - 1][name] for name in (order[0].column, "number", "id", "version")] if at else None
    per = Per("number", size) if size else None
    asked = Selection([], ["id"], order=order, after=after, per=per, limit=4)
    assert arranged(pa.Table.from_pylist(rows, schema=SCHEMA), asked).to_pylist() == ordered[at : at + 4]


def test_a_place_need_not_be_a_row() -> None:
    rows = pa.Table.from_pylist(
        [{"id": "a", "version": 1, "number": n, "text": None} for n in (1.0, 3.0, None)], SCHEMA
    )
    asked = Selection([], ["id"], order=[Order("number")], after=[2.0, "zzz", 9])
    assert arranged(rows, asked)["number"].to_pylist() == [3.0, None]


def test_null_is_a_group() -> None:
    rows = pa.table({"group": pa.array([None, "a", None, "a", "b"]), "at": [0, 1, 2, 3, 4]})
    assert first_of_each(rows, Per("group", 1))["at"].to_pylist() == [0, 1, 4]
