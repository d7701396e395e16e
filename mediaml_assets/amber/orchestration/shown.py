"""What the Dagster UI shows of a feature and of each of its values."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from mediaml_assets.amber.ask import Ask
from mediaml_assets.amber.code.drift import as_text
from mediaml_assets.amber.columns import about, is_picture
from mediaml_assets.amber.evaluation import Outcome
from mediaml_assets.amber.feature import DRIFT, Check, Input
from mediaml_assets.amber.names import CATALOGUE
from mediaml_assets.amber.objects import blob_object
from mediaml_assets.amber.profile import profile
from mediaml_assets.amber.store import Store
from mediaml_assets.amber.view import View

PREVIEW = 999
"""Characters of Markdown up to which the Dagster UI shows metadata in place, and not behind a link."""


LARGEST_PICTURE = 60_000
"""Bytes of a picture up to which it is shown: it lies in the event itself."""

LONGEST_DIFF = 10_000
"""Characters of what changed in the code that the Dagster UI is given."""


def metadata(store: Store, outcome: Outcome, rows: pa.Table) -> dict[str, Any]:
    """What the Dagster UI shows of a materialisation, what people look for first; `rows` are its `shown_rows`."""
    ask = outcome.ask
    plain = rows.select([one.name for one in rows.schema if not pa.types.is_nested(one.type)])
    found: dict[str, Any] = {
        "dagster/partition_row_count" if ask.scope != CATALOGUE else "dagster/row_count": rows.num_rows,
        "memoised": outcome.memo is not None,
        **_measured(outcome, rows),
    }
    if ask.chain != ask.scope:
        found["answer"] = f"ad-hoc configuration, kept as {ask.chain}; the current value is unchanged"
    return {
        **found,
        **_pictures(store, rows),
        "dagster/column_lineage": _column_lineage(ask),
        "preview": dg.MetadataValue.md(_preview(plain)),
        "value_digest": outcome.digest,
        "memo_key": ask.key if not ask.withdrawn else "withdrawn",
        "landing_generation": ask.generation,
    }


def _measured(outcome: Outcome, rows: pa.Table) -> dict[str, float]:
    """What the Dagster UI plots: what the rows are like, and when they were computed just now, what that cost."""
    if outcome.digest == "withdrawn":
        return {}
    found = {"nulls": 0, "nans": 0, **(outcome.metrics or profile(rows))}
    return {name: found[name] for name in sorted(found.keys() - {"rows"})}


def shown_rows(store: Store, outcome: Outcome) -> pa.Table:
    """The rows that an outcome stands for, without columns of bits, which may be large; none when withdrawn."""
    schema = outcome.ask.feature.schema
    shown = [one.name for one in schema if not pa.types.is_fixed_size_binary(one.type)]
    if outcome.rows is not None:
        return outcome.rows.select(shown)
    if outcome.memo is not None:
        return store.read_rows(outcome.ask.feature.name, outcome.memo.value, shown)
    return schema.empty_table().select(shown)


def _pictures(store: Store, rows: pa.Table) -> dict[str, dg.MetadataValue[Any]]:
    """The small pictures of a one-row value, each as Markdown that holds it."""
    if rows.num_rows != 1:
        return {}
    names = {one.name: rows.column(one.name)[0].as_py() for one in rows.schema if is_picture(one)}
    shown = {column: _picture(store, column, name) for column, name in names.items() if name is not None}
    return {column: dg.MetadataValue.md(text) for column, text in shown.items() if text}


def _picture(store: Store, column: str, name: str) -> str:
    data = store.objects.read_range(blob_object(name), 0, LARGEST_PICTURE + 1)
    kind = "png" if name.endswith(".png") else "jpeg"
    held = f"![{column}](data:image/{kind};base64,{base64.b64encode(data).decode()})"
    return held if len(data) <= LARGEST_PICTURE else ""


def numbers(check: Check, rows: pa.Table) -> dict[str, Any]:
    """What a check asks of, where that is one row: people see how near to its bounds it is."""
    if rows.num_rows != 1:
        return {}
    found = {name: rows.column(name)[0].as_py() for name in check.columns if name in rows.column_names}
    return {name: value for name, value in found.items() if isinstance(value, (int, float, str))}


def _preview(rows: pa.Table) -> str:
    """The first rows as a Markdown table of at most `PREVIEW` characters; a single row stands upright."""
    head, *body = (
        [("column", "value"), *rows.to_pylist()[0].items()]
        if rows.num_rows == 1
        else [tuple(rows.column_names), *(tuple(row.values()) for row in rows.slice(0, 10).to_pylist())]
    )
    lines = [_line(head), _line(["---"] * len(head))]
    for row in body:
        lines.append(_line([_cell(value) for value in row]))
        if len("\n".join(lines)) > PREVIEW:
            return "\n".join(lines[:-1])
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…{text[-12:]}"


def diff(outcome: Outcome, check: str) -> dict[str, dg.MetadataValue[Any]]:
    """What changed in the code, for people."""
    if check != DRIFT or not outcome.drift:
        return {}
    return {"diff": dg.MetadataValue.md(f"```diff\n{as_text(outcome.drift, LONGEST_DIFF)}\n```")}


def column_schema(schema: pa.Schema) -> dg.TableSchema:
    """The columns with their types and descriptions."""
    return dg.TableSchema([_column(one) for one in schema])


def _column(field: pa.Field) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=field.nullable)
    return dg.TableColumn(field.name, str(field.type), about(field) or None, constraints)


def _column_lineage(ask: Ask) -> dg.TableColumnLineage:
    """Every column is made from all columns that the parameters' types read: a function is not looked into."""
    read = [
        dg.TableColumnDep(asset_key=dg.AssetKey(one.name), column_name=column)
        for one in ask.feature.inputs
        for column in _columns_read(one, ask.inputs[one.name])
    ]
    return dg.TableColumnLineage({one.name: read for one in ask.feature.schema})


def copied_columns(feature: str, schema: pa.Schema) -> dg.TableColumnLineage:
    """Every column is made from the one of its name in a feature."""
    return dg.TableColumnLineage(
        {name: [dg.TableColumnDep(asset_key=dg.AssetKey(feature), column_name=name)] for name in schema.names}
    )


def _columns_read(one: Input, views: View | Mapping[str, View]) -> Sequence[str]:
    if tuple(one.reads.columns) != ("*",):
        return list(one.reads.columns)
    values = [view for view in ([views] if isinstance(views, View) else views.values()) if not view.withdrawn]
    return list(values[0].value.columns) if values else []
