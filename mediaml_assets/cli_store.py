"""The commands of `mediaml` that ask the feature store or look after it."""

import logging
import os
import shutil
from datetime import datetime
from pathlib import Path

import click
import duckdb

from mediaml_assets import cli_upkeep
from mediaml_assets.installation import installed_store, prepare


def _moment(context: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise click.BadParameter(f"{text} is no time; write it as 2026-01-31T18:00:00Z") from error


@click.command()
@click.argument("query", required=False)
@click.option(
    "--as-of",
    metavar="TIME",
    callback=_moment,
    help="Show in `current` and the features' views what stood there at that time, such as 2026-01-31T18:00:00Z; "
    "without Z or an offset it is local time.",
)
@click.option(
    "--init",
    is_flag=True,
    help="Print the SQL that makes the views, for another DuckDB client; on a bucket its first line says what that "
    "client needs.",
)
def sql(query: str | None, as_of: datetime | None, init: bool) -> None:
    """Ask the store in SQL.

    Without a QUERY, lists what can be asked, a line for each:

    \b
    ledger, metrics         every commit, and what was measured
    history, current        what was current after each commit, and what is
    congruence, joined(feature1, feature2)
                            whose rows mean different shots, and rows that do
                            not, side by side
    <feature>               its current rows
    <feature>_history       its rows that ever were current
    current_as_of(moment), <feature>_as_of(moment)
                            the same as they were at a moment, such as
                            FROM shots_as_of('2026-01-31T18:00:00Z')
    """  # noqa: D301 - click wants the character, not its name, to keep lines as they are
    from mediaml_assets.amber.sql import VIEWS, connect, statements

    prepare()
    store = installed_store()
    if init:
        if store.objects.filesystem() is not None:
            click.echo(
                "-- The client must be able to read s3://. In Python: connection.register_filesystem(installed_store()."
                "objects.filesystem()),\n-- with `from mediaml_assets.installation import installed_store`. Where "
                "DuckDB's extensions are allowed: httpfs, with a secret for the bucket."
            )
        click.echo("\n".join(f"{statement};" for statement in statements(store, as_of)))
        return
    with connect(store, as_of) as connection:
        answer = connection.sql(query or VIEWS)
        if answer is not None:
            _show(answer)


@click.command()
@click.argument("feature")
@click.argument("titles", nargs=-1)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to a .parquet or .csv file."
)
@click.option(
    "--processes", type=click.IntRange(min=1), default=os.cpu_count(), show_default=True, help="Titles at once."
)
def value(feature: str, titles: tuple[str, ...], out: Path | None, processes: int) -> None:
    """Give the rows of a FEATURE, computed if they must be.

    For the given TITLES (shows, for a feature of a show), or for all there are. What it is made from is computed as
    well; nothing that is stored is computed again.
    """
    from mediaml_assets.on_demand import rows

    prepare()
    if out is not None and out.suffix not in (".parquet", ".csv"):
        raise click.BadParameter(f"{out} ends neither in .parquet nor in .csv", param_hint="--out")
    logging.getLogger("mediaml").setLevel(logging.INFO)
    logging.getLogger("mediaml").addHandler(_Echo())
    relation = duckdb.from_arrow(rows(feature, titles or None, processes=processes))
    if out is None:
        _show(relation)
    elif out.suffix == ".csv":
        relation.write_csv(str(out))
    else:
        relation.write_parquet(str(out))


@click.command()
@click.argument("feature")
@click.argument("title", required=False)
def explain(feature: str, title: str | None) -> None:
    """Say why a value is what it is, and what would run.

    Of the FEATURE for a TITLE (a show; nothing for one of the catalogue): where the current value comes from, whether
    asking for it now would compute it or what it waits for, and which input, setting, library or code made its key
    differ. Computes nothing.
    """
    from mediaml_assets.amber.explain import explain as explain_value
    from mediaml_assets.explained import lines
    from mediaml_assets.on_demand import demand

    prepare()
    asked = demand()
    for line in lines(explain_value(asked.store, asked.mesh, feature, title)):
        click.echo(line)


def _show(answer: duckdb.DuckDBPyRelation) -> None:
    """Print rows as a table; of lists and bits, which may hold thousands of numbers, how they begin."""
    shown = []
    for column, kind in zip(answer.columns, answer.types, strict=True):
        name = '"' + column.replace('"', '""') + '"'
        if kind.id in _LONG:
            text = f"{name}::VARCHAR"
            name = f"CASE WHEN length({text}) > {_CELL} THEN left({text}, {_CELL}) || '…' ELSE {text} END AS {name}"
        shown.append(name)
    answer.project(", ".join(shown)).show(max_width=shutil.get_terminal_size((160, 50)).columns, max_rows=1000)


_LONG = ("list", "array", "blob")
_CELL = 22
"""Characters that are printed of a long value."""


class _Echo(logging.Handler):
    """Says on standard error what is computed."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(record.getMessage(), err=True)


COMMANDS = (sql, value, explain, *cli_upkeep.COMMANDS)
"""What `mediaml` offers of this module."""
