"""PySceneDetect over the same standard encodes: at each detector's defaults, and at the best setting of a grid.

Tuned is what scores best on the very films that it is scored on: a setting that nobody can know beforehand, which
favours the peer. Which one is best is asked anew for each figure.
"""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.boundaries.films import Film
from benchmarks.boundaries.scoring import Counts, Score, score
from benchmarks.peers import answer, python

PEER = "scenedetect"
SCRIPT = Path(__file__).with_name("run_scenedetect.py")
SECONDS = 1800


@dataclass(frozen=True)
class Setting:
    """A detector with its arguments, and its score of each film."""

    name: str
    arguments: dict[str, Any]
    scores: tuple[Score, ...]

    def __str__(self) -> str:
        """As it would be called."""
        return f"{self.name}({', '.join(f'{key}={value:g}' for key, value in self.arguments.items())})"

    def total(self, counts: Callable[[Score], Counts]) -> Counts:
        """Of all films together."""
        return sum((counts(one) for one in self.scores), Counts())


def settings(films: Sequence[Film]) -> list[Setting]:
    """Every setting of the grid over some films, in two processes; raises Unavailable."""
    interpreter = python(PEER)
    longest_first = sorted(range(len(films)), key=lambda place: -len(films[place].tape))
    halves: tuple[list[int], list[int]] = ([], [])
    for place in longest_first:
        min(halves, key=lambda half: sum(len(films[one].tape) for one in half)).append(place)

    def run(places: list[int]) -> Any:
        wish = {"films": [str(films[place].video) for place in places]}
        return answer([interpreter, SCRIPT, json.dumps(wish)], SECONDS)

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(run, [half for half in halves if half]))
    order = [place for half in halves for place in half]
    every = []
    for parts in zip(*said, strict=True):
        name, arguments = parts[0][0]
        cuts = dict(zip(order, [film for _, part in parts for film in part], strict=True))
        scores = tuple(score(cuts[place], film.labels) for place, film in enumerate(films))
        every.append(Setting(name, arguments, scores))
    return every


def best(every: Sequence[Setting], counts: Callable[[Score], Counts], defaults: bool = False) -> Setting:
    """The setting with the highest F1 of some counts over all films; of the defaults alone if `defaults`."""
    return max((one for one in every if not (defaults and one.arguments)), key=lambda one: one.total(counts).f1)


def cpu(film: Film, setting: Setting) -> float:
    """CPU seconds of reading a film with a setting, by the faster of two backends; raises Unavailable."""
    interpreter, wish = python(PEER), {"film": str(film.video), "setting": [setting.name, setting.arguments]}
    said = [
        answer([interpreter, SCRIPT, json.dumps({**wish, "backend": backend})], SECONDS)
        for backend in ("opencv", "pyav")
    ]
    return min(float(one["cpu_s"]) for one in said)
