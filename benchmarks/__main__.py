"""`python -m benchmarks <name> --seed <n>`: run one benchmark, print its table, write its figures."""

import importlib
import pkgutil
import sys

import click
from rich.console import Console

import benchmarks
from benchmarks.harness import Benchmark, measure

NAMES = sorted(
    module.name
    for module in pkgutil.iter_modules(benchmarks.__path__)
    if not module.ispkg and module.name not in ("__main__", "harness", "page")
)


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="What the data are made from.")
def main(name: str, seed: int) -> None:
    """Measure NAME. What misses its target is printed and written too; the exit code is 0 all the same."""
    module = importlib.import_module(f"benchmarks.{name}")
    # where nobody looks, tables need not fit a window
    console = Console(width=None if sys.stdout.isatty() else 140)
    measure(Benchmark(name, module.run, module.TARGETS), seed, console)


if __name__ == "__main__":
    main()
