"""Operations as JSON and back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mediaml_assets.marken.operation import Operation, State


def operation_json(operation: Operation) -> dict[str, Any]:
    """The JSON form; times are ISO 8601, UTC."""
    return {
        "type": operation.type,
        "type_version": operation.type_version,
        "scope": operation.scope,
        "number": operation.number,
        "state": operation.state.value,
        "by": operation.by,
        "started": operation.started.isoformat(),
        "ended": None if operation.ended is None else operation.ended.isoformat(),
        "rows": operation.rows,
        "source": dict(operation.source),
    }


def operation_of(form: Mapping[str, Any]) -> Operation:
    """The operation that `operation_json` wrote."""
    return Operation(
        type=form["type"],
        type_version=form["type_version"],
        scope=form["scope"],
        number=form["number"],
        state=State(form["state"]),
        by=form["by"],
        started=datetime.fromisoformat(form["started"]),
        ended=None if form["ended"] is None else datetime.fromisoformat(form["ended"]),
        rows=form["rows"],
        source=form["source"],
    )
