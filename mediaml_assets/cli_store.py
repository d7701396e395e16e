"""The commands of `mediaml` that ask the feature store or look after it."""

import shutil

import click

from mediaml_assets import cli_upkeep
from mediaml_assets.installation import installed_store, prepare


@click.command()
@click.argument("query", required=False)
@click.option("--init", is_flag=True, help="Print the SQL that makes the views, for another DuckDB client.")
def sql(query: str | None, init: bool) -> None:
    """Ask the store in SQL.

    There is a view for each feature (its current values), for each feature's history, for the ledger and for the
    metrics. Without a QUERY, lists the views.
    """
    from mediaml_assets.amber.sql import connect, statements

    prepare()
    store = installed_store()
    if init:
        click.echo("\n".join(f"{statement};" for statement in statements(store)))
        return
    with connect(store) as connection:
        answer = connection.sql(query or "SELECT view_name AS view FROM duckdb_views() WHERE NOT internal ORDER BY 1")
        if answer is not None:
            answer.show(max_width=shutil.get_terminal_size((160, 50)).columns, max_rows=1000)


COMMANDS = (sql, *cli_upkeep.COMMANDS)
"""What `mediaml` offers of this module."""
