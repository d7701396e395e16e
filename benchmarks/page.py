"""`python -m benchmarks.page`: what the last runs of the benchmarks found, from their files to docs/benchmarks.md."""

import json
import operator
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.harness import OUT

OTHERS = sorted(["dagster", "pgvector", "postgres", *(file.stem for file in peers.HERE.glob("*.txt"))])
"""What comes before the name of a figure of somebody else's, or of our own other way."""

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
QUIET = 0.5
"""Load for each CPU, before a run, up to which the machine counts as quiet."""
HEAD = """# Benchmarks: what was measured

Made by `python -m benchmarks.page` from the last run of each. What a figure means is said at the top of
`benchmarks/<name>.py`; `make bench NAME=<name> SEED=<n>` runs it again. Of others, **bold** is better than ours. Counts
and bytes of a loaded machine are as good as those of a quiet one; its times are not.
"""


def main(out: Path = OUT, page: Path = PAGE) -> None:
    """Write the page anew."""
    page.write_text(page_of([json.loads(file.read_text()) for file in sorted(out.glob("*.json"))]))


def page_of(reports: list[Mapping[str, Any]]) -> str:
    """The page in Markdown, a table for each report of `harness.measure`."""
    return "\n".join([HEAD, *(line for report in reports for line in _section(report))])


def _section(report: Mapping[str, Any]) -> Iterator[str]:
    before, after, cpus = report["load"]
    quiet = "quiet" if before <= QUIET * cpus else "loaded"
    yield f"## {report['name']}\n"
    yield f"Seed {report['seed']}, {cpus} CPUs, {quiet}: load {before:.1f} before and {after:.1f} after.\n"
    yield "| figure | target | measured | met | others |"
    yield "|---|---|---|---|---|"
    for name, target in report["targets"].items():
        met = "**no**" if name in report["missed"] else "yes"
        measured = report["figures"].get(name)
        others = ", ".join(_others(report["figures"], name, target))
        yield f"| `{name}` | {target} | {_shown(measured)} | {met} | {others} |"
    yield ""


def _others(figures: Mapping[str, float | None], name: str, target: str) -> Iterator[str]:
    """The same figure of others; in bold where it is better than ours."""
    better = operator.gt if target.startswith(">") else operator.lt
    ours = figures.get(name)
    for other in OTHERS:
        if f"{other}_{name}" in figures:
            value = figures[f"{other}_{name}"]
            wins = value is not None and ours is not None and better(value, ours)
            text = f"{other} {_shown(value)}"
            yield f"**{text}**" if wins else text


def _shown(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.4g}"


if __name__ == "__main__":
    main()
