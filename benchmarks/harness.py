"""Runs a benchmark, compares its figures with the targets, prints a table and writes one JSON file.

A benchmark is a module of this package with

    TARGETS: dict[str, Target]               e.g. {"gemm_share": (">=", 0.8)}
    def run(seed: int) -> dict[str, float]   every figure, those with a target among them; or a Measured

A missed target is published, not hidden and not an error: the file lists it under `missed`. A figure that could not be
measured (a peer that cannot be installed here) is NaN: null in the file, "not measured" in the table. `load` is the
machine's load of the last minute before and after the run, and its CPUs: times of a loaded machine say little.
"""

import json
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.table import Table

Target = tuple[Literal["<", "<=", "==", ">=", ">"], float]

OUT = Path(__file__).parent / "out"
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Measured:
    """Figures, and what they are made of: tables to print below theirs, and details for the file."""

    figures: Mapping[str, float]
    tables: Sequence[Table] = ()
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Benchmark:
    """A name, what measures the figures from a seed, and the figures' targets."""

    name: str
    run: Callable[[int], Mapping[str, float] | Measured]
    targets: Mapping[str, Target]


def measure(benchmark: Benchmark, seed: int, console: Console, out: Path = OUT) -> dict[str, object]:
    """Run a benchmark, print its table and write `<out>/<name>.json`; returns what was written."""
    before = os.getloadavg()[0]
    result = benchmark.run(seed)
    measured = result if isinstance(result, Measured) else Measured(result)
    figures = {key: float(value) for key, value in measured.figures.items()}
    missed = missed_targets(figures, benchmark.targets)
    for table in (_table(benchmark, seed, figures, missed), *measured.tables):
        console.print(table)
    if missed:
        console.print(f"missed: {', '.join(missed)}", style="red")
    report: dict[str, object] = {
        "name": benchmark.name,
        "seed": seed,
        "load": [before, os.getloadavg()[0], len(os.sched_getaffinity(0))],
        "figures": {key: _number(value) for key, value in figures.items()},
        "targets": {key: f"{op} {value:g}" for key, (op, value) in benchmark.targets.items()},
        "missed": missed,
        **({"details": measured.details} if measured.details is not None else {}),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{benchmark.name}.json").write_text(json.dumps(report, indent=2, allow_nan=False) + "\n")
    return report


def missed_targets(figures: Mapping[str, float], targets: Mapping[str, Target]) -> list[str]:
    """The targets that are not met, in their order; a figure that was not measured, or is NaN, misses its target."""
    return [key for key, (op, value) in targets.items() if not _COMPARE[op](figures.get(key, float("nan")), value)]


def _number(value: float) -> float | int | None:
    """The figure as JSON has it: whole numbers without a point, what is not finite as null."""
    if not isfinite(value):
        return None
    return int(value) if value == int(value) else value


def _table(benchmark: Benchmark, seed: int, figures: Mapping[str, float], missed: list[str]) -> Table:
    table = Table(title=f"{benchmark.name}, seed {seed}", title_justify="left")
    table.add_column("figure")
    for column in ("value", "target"):
        table.add_column(column, justify="right")
    table.add_column("met")
    for key in [*benchmark.targets, *(key for key in figures if key not in benchmark.targets)]:
        known = isfinite(figures.get(key, float("nan")))
        value = f"{figures[key]:,.4g}" if known else "not measured"
        if key in benchmark.targets:
            op, wanted = benchmark.targets[key]
            table.add_row(key, value, f"{op} {wanted:g}", "[red]no[/red]" if key in missed else "[green]yes[/green]")
        else:
            table.add_row(key, value, "", "")
    return table
