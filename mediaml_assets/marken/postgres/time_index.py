"""What makes the server's index of time ranges answer: a condition that a filter implies, over ranges as such.

A filter compares starts and ends one by one, and no index over one of them is selective for both. Every row that it
finds overlaps the range between its highest lower and its lowest upper bound; that is a condition over the range, whose
share of rows the server can estimate.
"""

import math
from collections.abc import Sequence

from mediaml_assets.marken.postgres.layout import Rows, seconds
from mediaml_assets.marken.query.nodes import And, Column, Compare, Node, Value
from mediaml_assets.marken.query.sql import Sql


def implied(where: Node | None, rows: Rows) -> list[Sql]:
    """Conditions over ranges that hold wherever a filter does."""
    found = []
    for name in rows.time_ranges:
        low, high = -math.inf, math.inf
        for bound in _bounds(where, (f"{name}_start", f"{name}_end")):
            low, high = max(low, bound[0]), min(high, bound[1])
        if (low > -math.inf or high < math.inf) and low <= high:
            found.append(Sql(f"{seconds(name)} && marken.seconds(%s, %s, '[]')", [low, high]))
    return found


def _bounds(node: Node | None, columns: Sequence[str]) -> list[tuple[float, float]]:
    """Lowest and highest moment of a range that starts or ends as some column of these must."""
    match node:
        case And(nodes):
            return [bound for one in nodes for bound in _bounds(one, columns)]
        case Compare(op, Column(name), Value(int() | float() as value)) if name in columns:
            return [_bound(op, float(value), name == columns[1])]
        case Compare(op, Value(int() | float() as value), Column(name)) if name in columns:
            opposite = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(op, op)
            return [_bound(opposite, float(value), name == columns[1])]
    return []


def _bound(op: str, value: float, is_end: bool) -> tuple[float, float]:
    # a half-open range has moments before its end and not the end itself; too low a bound finds no less
    lowest = math.nextafter(value - 1e-6, -math.inf) if is_end else value
    low = lowest if op in (">", ">=", "=") else -math.inf
    return low, value if op in ("<", "<=", "=") else math.inf
