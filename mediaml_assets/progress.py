"""What the command line prints: progress bars, tables of rows and of cuts, the quarantine."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from mediaml_assets.amber.replicas.parity import Parity
from mediaml_assets.search_platform.show import Shown

console = Console(width=None if sys.stdout.isatty() else 120)
"""Everything is printed here; a pipe or a log gets 120 columns."""


def _bars() -> Progress:
    columns = [
        TextColumn("{task.fields[title]:<22}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    ]
    return Progress(*columns, console=console)


@contextmanager
def rendering() -> Iterator[Callable[[str, float], None]]:
    """A bar for each sample title; the callable takes its slug and the share rendered, in [0, 1]."""
    bars: dict[str, TaskID] = {}
    with _bars() as progress:

        def told(title: str, share: float) -> None:
            if title not in bars:
                bars[title] = progress.add_task("rendering", total=1.0, title=title)
            progress.update(bars[title], completed=share, description="rendered" if share >= 1 else "rendering")

        yield told


@contextmanager
def computing(steps: Callable[[str, str], int]) -> Iterator[Callable[[logging.LogRecord], None]]:
    """A bar for each title, show and the catalogue; the callable takes the log records of the computation.

    Args:
        steps: a feature and its scope -> how many features are computed for that scope; a replica is one step.
    """
    bars: dict[str, TaskID] = {}
    with _bars() as progress:

        def watch(record: logging.LogRecord) -> None:
            title, feature, event = (str(record.__dict__[name]) for name in ("title", "feature", "event"))
            if title not in bars:
                bars[title] = progress.add_task("", total=steps(feature, title), title=title)
            if event == "copying":
                progress.update(bars[title], description=record.getMessage())
                return
            if event == "computing":
                progress.update(bars[title], description=f"{feature} ...")
                return
            if event == "stopped":
                progress.update(bars[title], description=f"stopped at {feature}")
                progress.stop_task(bars[title])
            else:
                progress.update(bars[title], advance=1, description=feature)
            if not console.is_terminal:
                console.print(record.getMessage(), highlight=False)

        yield watch


@contextmanager
def verifying() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each part of the store; the callable takes the part, the bytes looked at and the bytes in all."""
    bars: dict[str, TaskID] = {}
    with _bars() as progress:

        def told(part: str, done: int, total: int) -> None:
            if part not in bars:
                bars[part] = progress.add_task("", title=part)
            progress.update(bars[part], completed=done, total=total, description=f"{total / 1e6:,.1f} MB")

        yield told


@contextmanager
def by_feature(steps: int) -> Iterator[Callable[[str, str], None]]:
    """A bar for each feature; the callable takes the feature and what is being done about it, one of so many steps."""
    bars: dict[str, TaskID] = {}
    with _bars() as progress:

        def told(feature: str, doing: str) -> None:
            if feature not in bars:
                bars[feature] = progress.add_task("", total=steps, title=feature)
            progress.update(bars[feature], advance=1, description=doing)

        yield told


def print_states(states: Mapping[str, str]) -> None:
    """A table of titles and where each stands."""
    table = Table("title", "state")
    for title, state in sorted(states.items()):
        table.add_row(title, state)
    console.print(table)


def print_cuts(shown: Shown) -> None:
    """The cuts of each flavour with their timecodes, and where the files are."""
    for flavour, cuts in shown.cuts.items():
        table = Table(
            "", "from", "at", "to", "at", "score", title=f"{flavour}: best {len(cuts)} cuts", title_justify="left"
        )
        for cut in cuts:
            out_at = shown.media[cut.title1].timecode(cut.out_frame)
            in_at = shown.media[cut.title2].timecode(cut.in_frame)
            first, second = f"{cut.title1} #{cut.shot1}", f"{cut.title2} #{cut.shot2}"
            table.add_row(str(cut.rank), first, out_at, second, in_at, f"{cut.score:.3f}")
        console.print(table)
    if not shown.cuts:
        console.print("No match cuts: there are no two shots to compare yet; land films and run `mediaml ingest`.")
    console.print("Open in any viewer or browser:")
    for path in (shown.sheet, shown.page, *shown.previews):
        console.print(f"  {path}", soft_wrap=True, highlight=False)


def print_quarantine(quarantine: Mapping[str, str]) -> None:
    """Files and titles that cannot be used, each with its reason."""
    if quarantine:
        console.print(f"[yellow]{len(quarantine)} quarantined[/yellow] (the others went on):")
        for name, reason in sorted(quarantine.items()):
            console.print(f"  {name}: {reason}", soft_wrap=True, highlight=False, markup=False)


def print_replicas(found: Mapping[str, Parity]) -> None:
    """A table of replicas, and the titles that are not in them as they are in the store."""
    table = Table("replica", "titles", "rows", "behind", "for", "row counts", "read back")
    for name, one in found.items():
        counts = f"{len(one.miscounted)} wrong" if one.miscounted else "equal"
        read = f"{len(one.damaged)} of {one.read_back} damaged" if one.damaged else f"{one.read_back} titles equal"
        lag = f"{one.lag_seconds:,.0f} s" if one.behind else ""
        table.add_row(name, f"{one.titles:,}", f"{one.rows:,}", f"{len(one.behind):,}", lag, counts, read)
    console.print(table)
    for name, one in found.items():
        for title, reason in {**one.miscounted, **one.damaged}.items():
            console.print(f"{name}: {title}: {reason}", soft_wrap=True, highlight=False, markup=False)
        if one.left_out:
            console.print(
                f"{name}: left out until they are computed again or repaired, because their value has other columns "
                f"than the feature declares now, or their ledger is damaged: {', '.join(one.left_out)}",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )


def print_garbage(heaps: Mapping[str, tuple[int, int]]) -> None:
    """A table of kinds of garbage, each with its count and bytes."""
    if not heaps:
        return
    table = Table("garbage", "objects", "MB")
    for kind, (count, size) in heaps.items():
        table.add_row(kind, f"{count:,}", f"{size / 1e6:,.1f}")
    console.print(table)


def print_later(files: Sequence[str]) -> None:
    """Files that were not taken: they are still being written, or what the store has of their title is damaged."""
    if files:
        console.print(
            f"[yellow]{len(files)} left for later[/yellow] (still being written: run again when complete; or damaged "
            "in the store: see `mediaml verify`):",
            soft_wrap=True,
        )
        for name in files:
            console.print(f"  {name}", soft_wrap=True, highlight=False, markup=False)


def print_left_out(plugins: Sequence[object]) -> None:
    """Plugins that cannot be used, each with its reason."""
    for plugin in plugins:
        console.print(f"[yellow]plugin left out[/yellow] {escape(str(plugin))}", soft_wrap=True, highlight=False)
