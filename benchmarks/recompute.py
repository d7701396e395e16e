"""What runs again, and what is served afterwards: thirteen events in the life of a catalogue, for four systems.

A chain of three features over four small films: `levels` decodes the file, `cuts` reads levels, `label` reads cuts.
Each event starts from the same finished state; then films or code change on disk, and the user's routine of the system
runs in a new process (benchmarks/chains). Calls are counted inside the features' functions.

    rows_not_ideal    events after which not exactly the ideal number of functions ran, or something wrong is served
    stale_values      served values (title, feature) that are not those of all films computed anew by the code that is
                      there now; values that are missing, and values of films that are gone, count too (and where code
                      changes twice, also what is served in between)
    <peer>_...        the same of a peer at its pinned version; where it can be used in two ways, each event counts by
                      the better one, and the matrix shows both

By hand: a person says which column, asset or file changed, as the peer's documentation asks for (`recompute_columns`
in Pixeltable, another `code_version` in Dagster); without, nobody does. DataChain's two ways are `delta=True`, and its
checkpoints. mediaml has one way, and nobody says anything. It reads a new or changed file once to learn its essence,
as others read its time or hash it: that is no feature's call, and is counted in the file as `files_read`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks import peers
from benchmarks.chains.events import EVENTS, FEATURES, TITLES, Event, Run, Workspace
from benchmarks.harness import Measured, Target

TARGETS: dict[str, Target] = {"rows_not_ideal": ("==", 0), "stale_values": ("==", 0)}


@dataclass(frozen=True)
class System:
    """A system, used in one way."""

    name: str
    code: str
    """Its files in benchmarks/chains."""
    way: str = ""
    peer: str | None = None
    """Whose environment runs it; None: the project's own."""
    arguments: Sequence[str] = ()
    say: Callable[[Workspace, Event, int], Sequence[str]] | None = None
    """What a person does by hand after a change: edits the workspace, or gives the routine arguments. Events that leave
    nothing to say are those of the way without."""


def _tell_pixeltable(work: Workspace, event: Event, step: int) -> Sequence[str]:
    if event.by_hand.endswith(".mp4"):
        return ["--replaced", f"landing/{event.by_hand}"]
    return ["--edited", event.by_hand]


def _tell_dagster(work: Workspace, event: Event, step: int) -> Sequence[str]:
    # whoever goes back to the code of before goes back to its version
    versions = ['"1"', '"2"'] if step == 0 else ['"2"', '"1"']
    if event.by_hand in FEATURES:
        before, after = (f"code_version={version})  # {event.by_hand}" for version in versions)
        work.replace("features.py", before, after)
    return ()


SYSTEMS = (
    System("mediaml", "amber"),
    System("pixeltable", "pixeltable", "alone", "pixeltable"),
    System("pixeltable", "pixeltable", "by hand", "pixeltable", say=_tell_pixeltable),
    System("datachain", "datachain", "delta", "datachain", ["--delta"]),
    System("datachain", "datachain", "checkpoints", "datachain"),
    System("dagster", "dagster", "alone"),
    System("dagster", "dagster", "by hand", say=_tell_dagster),
)


@dataclass
class Outcome:
    """Event -> what happened, of one system in one way; or why it could not be run."""

    system: System
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    unavailable: str = ""


def run(seed: int) -> Measured:
    """The whole matrix; a few minutes, most of them other systems' starts."""
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder:
        # an embedded database may run as a user of its own, which must get through
        os.chmod(folder, 0o755)
        # counts do not depend on who runs beside, so the systems run at once
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            outcomes = list(pool.map(lambda one: observe(one, EVENTS, Path(folder), seed), SYSTEMS))
    return Measured(figures(outcomes, EVENTS), [_matrix(outcomes)], _details(outcomes))


def observe(system: System, events: Sequence[Event], folder: Path, seed: int) -> Outcome:
    """Every event on one system, each from the same finished state."""
    outcome = Outcome(system)
    here = folder / f"{system.name}-{system.way.replace(' ', '-')}"
    base, work = Path(f"{here}.base"), Workspace(here, seed)
    try:
        interpreter = peers.python(system.peer) if system.peer else Path(sys.executable)
        work.create(system.code)
        first = work.run(interpreter, system.code, *system.arguments)
        if first.calls != dict.fromkeys(FEATURES, len(TITLES)) or _stale(work, first):
            raise peers.Unavailable(f"the first run called {dict(first.calls)} and served {_stale(work, first)} wrong")
        here.rename(base)
        for event in events:
            if system.say and not event.by_hand:
                continue
            _copied(base, here)
            work.edits.clear()
            outcome.found[event.name] = _after(work, interpreter, system, event)
    except peers.Unavailable as reason:
        outcome.unavailable = str(reason)
    return outcome


def _after(work: Workspace, interpreter: Path, system: System, event: Event) -> dict[str, Any]:
    stale = 0
    for step, change in enumerate(event.changes):
        change(work)
        said = system.say(work, event, step) if system.say else ()
        last = work.run(interpreter, system.code, *system.arguments, *said)
        stale += _stale(work, last)
    calls = sum(last.calls.values())
    return {
        "calls": calls,
        "ideal": event.ideal,
        "stale": stale,
        "is_ideal": calls == event.ideal and stale == 0,
        "calls_of": dict(last.calls),
        "files_read": last.files_read,
    }


def _stale(work: Workspace, last: Run) -> int:
    """Values that are served and wrong, missing, or of films that are gone."""
    truth = work.truth()
    return sum(
        last.served.get(title, {}).get(name) != truth.get(title, {}).get(name)
        for title in truth.keys() | last.served.keys()
        for name in FEATURES
    )


def _copied(base: Path, here: Path) -> None:
    """A copy with times and owners as they were: databases and listings look at both."""
    shutil.rmtree(here, ignore_errors=True)
    subprocess.run(["cp", "-a", str(base), str(here)], check=True)


def figures(outcomes: Sequence[Outcome], events: Sequence[Event]) -> dict[str, float]:
    """Rows that are not ideal and values that are stale, for each system at its best way of each event."""
    found: dict[str, float] = {}
    for name in dict.fromkeys(one.system.name for one in outcomes):
        ways = [one for one in outcomes if one.system.name == name and not one.unavailable]
        prefix = "" if name == "mediaml" else f"{name}_"
        found_of = {event.name: [way.found[event.name] for way in ways if event.name in way.found] for event in events}
        best = [min(each, key=_badness, default=None) for each in found_of.values()]
        measured = [one for one in best if one is not None]
        found[f"{prefix}rows_not_ideal"] = sum(not one["is_ideal"] for one in measured) if measured else float("nan")
        found[f"{prefix}stale_values"] = sum(one["stale"] for one in measured) if measured else float("nan")
    return found


def _badness(found: Mapping[str, Any]) -> tuple[int, int]:
    return found["stale"], abs(found["calls"] - found["ideal"])


def _matrix(outcomes: Sequence[Outcome]) -> Table:
    table = Table(
        title="calls of a feature, in brackets values served stale; ″ as in the column before", title_justify="left"
    )
    table.add_column("event")
    table.add_column("ideal", justify="right")
    for one in outcomes:
        table.add_column(f"{one.system.name}\n{one.system.way}", justify="right")
    for event in EVENTS:
        table.add_row(event.name, str(event.ideal), *(_cell(one, event) for one in outcomes))
    table.caption = "\n".join(
        f"{one.system.name} {one.system.way}: {one.unavailable}" for one in outcomes if one.unavailable
    )
    return table


def _cell(outcome: Outcome, event: Event) -> str:
    if outcome.unavailable:
        return "not run"
    found = outcome.found.get(event.name)
    if found is None:
        return "″"
    text = f"{found['calls']} ({found['stale']})" if found["stale"] else str(found["calls"])
    return text if found["is_ideal"] else f"[red]{text}[/red]"


def _details(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "ideal": {event.name: event.ideal for event in EVENTS},
        "systems": [
            {
                "name": one.system.name,
                "way": one.system.way,
                "events": one.found,
                "unavailable": one.unavailable or None,
            }
            for one in outcomes
        ],
    }
