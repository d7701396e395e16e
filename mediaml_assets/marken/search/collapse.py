"""Groups of hits: one for each value of a column, in the order of their best hits."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any


def grouped(
    groups: Sequence[Any], hits: Sequence[Mapping[str, Any]], hit_groups: Sequence[Any]
) -> list[dict[str, Any]]:
    """The best hit of each group, with its group and the hits of it.

    Args:
        groups: their values, in order. One without hits, whose server is gone meanwhile, is left out.
        hits: of all these groups, in order.
        hit_groups: their values.
    """
    inside: dict[Any, list[Mapping[str, Any]]] = {group: [] for group in groups}
    for hit, group in zip(hits, hit_groups, strict=True):
        inside[group].append(hit)
    return [
        {**hits[0], "group": hits[0]["created"] if isinstance(group, datetime) else group, "inner_hits": hits}
        for group, hits in inside.items()
        if hits
    ]
