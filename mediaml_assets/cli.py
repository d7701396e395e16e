"""The `mediaml` command."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import duckdb

from mediaml_assets import cli_search, cli_store
from mediaml_assets.cli_evaluate import evaluate, slugs
from mediaml_assets.errors import MediamlError
from mediaml_assets.installation import installed_store, prepare
from mediaml_assets.settings import home

if TYPE_CHECKING:
    from mediaml_assets.runs import Summary
    from mediaml_assets.settings import Home


class _Group(click.Group):
    """Prints our own errors, and those of a query, as one message, without a traceback."""

    def invoke(self, context: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(context)
        except (MediamlError, duckdb.Error) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group)
def main() -> None:
    """Films land, match cuts come out."""


@main.command()
@click.option("--seed", default=1, show_default=True, help="Which sample titles to render.")
@click.option("--samples/--no-samples", default=True, show_default=True, help="Render the sample titles first.")
def demo(seed: int, samples: bool) -> None:
    """Sample films in, match cuts out.

    Puts the sample titles where films land, describes every title there, and shows the best match cuts.
    """
    here = prepare()
    if samples:
        _render_samples(seed, here)
    started = time.perf_counter()
    summary = _ingest()
    if summary.failed and not summary.titles:
        click.echo("No match cuts: no title could be described.")
        _tell_failures(summary)
    _show(Path("top"), {}, top=10, previews=3)
    click.echo(f"\n{time.perf_counter() - started:.0f} s from landing to contact sheet. Next:")
    for line in (
        "make ui                      the Dagster UI: drop a film into the landing folder and watch",
        'mediaml sql "select * from match_cuts limit 5"',
        "mediaml cuts --flavour motion --k 20        the best cuts of any titles",
        "mediaml search SHOT --filter \"transition = 'dissolve'\"",
        "make demo LANDING=<folder>   the same with your own films",
    ):
        click.echo(f"  {line}")
    _tell_failures(summary)


@main.command()
def ingest() -> None:
    """Describe what lies in the landing folder.

    Lands new, changed and withdrawn films and computes every value that is missing or out of date.
    """
    prepare()
    _tell_failures(_ingest())


@main.command()
@click.option("--titles", default=None, help="Slugs, with commas between; all by default.")
@click.option("--flavour", "flavours", multiple=True, help="One flavour or several; all by default.")
@click.option("--k", type=click.IntRange(min=1), default=20, show_default=True, help="Cuts a flavour.")
@click.option(
    "--previews", type=click.IntRange(min=0), default=3, show_default=True, help="Cuts a flavour to render as mp4."
)
def cuts(titles: str | None, flavours: tuple[str, ...], k: int, previews: int) -> None:
    """Show the best match cuts of any titles.

    Prints a table and writes a contact sheet, a page and preview clips; the current `match_cuts` stay as they are.
    """
    prepare()
    settings: dict[str, object] = {"k": k}
    wanted = slugs(titles)
    if wanted is not None:
        settings["titles"] = _known(wanted)
    if flavours:
        settings["flavours"] = flavours
    _show(Path("cuts"), settings, top=k, previews=previews)


@main.command()
def status() -> None:
    """Say where each title stands.

    Lands what lies in the landing folder, computes nothing, and lists quarantined files with their reasons, and
    those that are still being written.
    """
    from mediaml_assets.mesh import assemble
    from mediaml_assets.progress import print_later, print_left_out, print_quarantine, print_states
    from mediaml_assets.runs import land, refused, refused_files, states

    here = prepare()
    store = installed_store()
    tick = land(here, store)
    print_states(states(store))
    print_quarantine({**tick.quarantine, **refused(store), **refused_files(store)})
    print_later(tick.later)
    print_left_out(assemble().left_out)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Where the UI listens.")
def ui(port: int) -> None:
    """Open Dagster on this machine.

    Runs the UI, the daemon, the landing sensor and automation, until stopped: films dropped into the landing folder
    lead to new match cuts.
    """
    from dagster import DagsterInstance

    from mediaml_assets.amber.orchestration.orphans import bury

    prepare()
    with DagsterInstance.get() as instance:
        bury(instance, installed_store())
    dagster = str(Path(sys.executable).with_name("dagster"))
    arguments = ["dev", "-m", "mediaml_assets.definitions", "-h", "127.0.0.1", "-p", str(port)]
    os.execv(dagster, [dagster, *arguments])


for command in (*cli_store.COMMANDS, *cli_search.COMMANDS, evaluate):
    main.add_command(command)


def _render_samples(seed: int, here: "Home") -> None:
    """Sample titles at the landing place; what goes to a bucket is rendered on this machine first."""
    from mediaml_assets.landing.bucket import upload
    from mediaml_assets.progress import rendering
    from mediaml_assets.samples.render import render

    landing = here.landing
    with rendering() as told:
        render(seed, landing if isinstance(landing, Path) else here.local / "samples", told)
    if not isinstance(landing, Path):
        upload(here.local / "samples", landing)


def _known(titles: list[str]) -> tuple[str, ...]:
    """The titles, once each is known to be there."""
    from mediaml_assets.mesh import mesh

    present = mesh().present(installed_store(), "match_cuts")
    for title in titles:
        if title not in present:
            raise click.BadParameter(f"there is no title {title!r}; there are {', '.join(present) or 'none'}")
    return tuple(titles)


def _ingest() -> "Summary":
    """Bring everything up to date, and print what was done."""
    from mediaml_assets.mesh import assemble
    from mediaml_assets.progress import computing, print_later, print_left_out, print_quarantine
    from mediaml_assets.runs import bring_up_to_date, steps

    with computing(steps) as watch:
        summary = bring_up_to_date(watch)
    click.echo(
        f"{len(summary.titles)} titles: {summary.computed} values computed, {summary.recalled} recalled, the rest was "
        "up to date"
    )
    print_quarantine(summary.quarantine)
    print_later(summary.later)
    print_left_out(assemble().left_out)
    return summary


def _tell_failures(summary: "Summary") -> None:
    """The last that is printed, so that nobody overlooks it; raises ClickException when a title failed."""
    for title, reason in sorted(summary.failed.items()):
        click.echo(f"FAILED {title}: {reason}", err=True)
    if summary.failed:
        raise click.ClickException("some titles failed; run again, or see their runs in `mediaml ui`")


def _show(name: Path, settings: dict[str, object], top: int, previews: int) -> None:
    from mediaml_assets.landing.arrivals import SOURCE
    from mediaml_assets.mesh import mesh
    from mediaml_assets.progress import print_cuts
    from mediaml_assets.search_platform.show import show

    store = installed_store()
    if not mesh().present(store, "match_cuts"):
        raise click.ClickException(
            f"there are no titles to cut between: put films into {home().landing}, then `mediaml ingest`"
        )
    shown = show(store, mesh(), store.ledger.scopes(SOURCE), settings, home().out / name, top, previews)
    print_cuts(shown)
