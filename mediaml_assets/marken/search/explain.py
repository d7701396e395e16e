"""How an answer was found."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mediaml_assets.marken.engine import Selection, Snapshot
from mediaml_assets.marken.search.envelope import Held, Query


def explained(snapshot: Snapshot, selections: Sequence[tuple[str, Query | Held, Selection]]) -> list[dict[str, Any]]:
    """Of each selection that an engine was asked for: place in the search, types, filter, order, and what it says.

    Args:
        snapshot: what was asked.
        selections: prefix of the place in the search, what was asked there, and how the engine was.
    """
    return [
        {
            "place": prefix.removesuffix("."),
            "types": [str(kind) for kind in selection.types],
            "filter": None if asked.filter is None else canonical(asked.filter),
            "order": [f"{one.column} {'desc' if one.descending else 'asc'}" for one in selection.order],
            **snapshot.explain(selection),
        }
        for prefix, asked, selection in selections
    ]


def canonical(filter: str | bool | Mapping[str, Any]) -> str:
    """A filter as CQL2 text in its canonical form."""
    import cql2

    return str((cql2.parse_text(filter) if isinstance(filter, str) else cql2.parse_json(json.dumps(filter))).to_text())
