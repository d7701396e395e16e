"""The race: the same commits into every store, side by side, and what each of them cost and kept."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pyarrow as pa

from benchmarks import peers
from benchmarks.stores.handed_out import SOURCE
from benchmarks.stores.processes import Worker, started
from mediaml_assets.amber.store import encode

STORES = ("amber", "deltalake", "lancedb")
WRITERS, BLOCK, ENDS = 4, 50, 100
POINTS, COLD_POINTS, ROUNDS = 100, 20, 3
CONTENDED = 5
"""Versions of one title that each writer writes while the others do."""


@dataclass
class Lane:
    """One store in the race."""

    store: str
    figures: dict[str, float] = field(default_factory=dict)
    unavailable: str = ""


@dataclass(frozen=True)
class Course:
    """What is written: titles, one commit each, then new versions of some of them."""

    seed: int
    titles: int = 1_000
    rewritten: int = 200

    @property
    def again(self) -> list[int]:
        """The titles that get a second version, spread over all."""
        return list(range(0, self.titles, self.titles // self.rewritten))[: self.rewritten]

    @property
    def versions(self) -> list[int]:
        """The version of each title in the end."""
        again = set(self.again)
        return [int(title in again) for title in range(self.titles)]


def race(course: Course, stores: Sequence[str] = STORES) -> list[Lane]:
    """Every store's figures; those of a store that cannot run here are missing, with the reason."""
    lanes = [Lane(store) for store in stores]
    with tempfile.TemporaryDirectory(prefix="mediaml-bench-") as folder, ExitStack() as stack:
        root = Path(folder)
        bare = stack.enter_context(started("bare", 1, root / "bare", course.seed, root / "bare"))[0]
        workers: dict[str, Worker] = {}
        for lane in lanes:
            try:
                entered = started(lane.store, 1, root / lane.store, course.seed, root / "bare")
                workers[lane.store] = stack.enter_context(entered)[0]
            except peers.Unavailable as reason:
                lane.unavailable = str(reason)
        moments, live = _first_commits(course, bare, workers, lanes)
        for lane in lanes:
            if not lane.unavailable:
                try:
                    _rest(course, root, lane, workers[lane.store], moments[lane.store], live)
                except peers.Unavailable as reason:
                    lane.unavailable = str(reason)
    return lanes


def _first_commits(
    course: Course, bare: Worker, workers: Mapping[str, Worker], lanes: Sequence[Lane]
) -> tuple[dict[str, Any], "Live"]:
    """Each title's first commit, by one writer, the stores in turns of a block; and the moment half-way."""
    seconds: dict[str, list[float]] = {store: [] for store in ("bare", *workers)}
    cpu = dict.fromkeys(seconds, 0.0)
    moments: dict[str, Any] = {}
    for start in range(0, course.titles, BLOCK):
        versions = [(title, 0) for title in range(start, min(start + BLOCK, course.titles))]
        for store, worker in (("bare", bare), *workers.items()):
            if store != "bare" and start <= course.titles // 2 < start + BLOCK and store not in moments:
                moments[store] = worker.ask("moment")["moment"]
            answer = worker.ask("write", how="add", versions=versions)
            seconds[store] += answer["seconds"]
            cpu[store] += answer["cpu"]
    kept = bare.ask("size")["bytes"]
    bare.ask("write", how="add", versions=[(title, 1) for title in course.again])
    every = bare.ask("size")["bytes"]
    for lane in lanes:
        if lane.store in workers:
            mine = seconds[lane.store]
            lane.figures |= {
                "commit_ms_first_100": 1000 * fmean(mine[:ENDS]),
                "commit_ms_last_100": 1000 * fmean(mine[-ENDS:]),
                "commit_last_over_first": fmean(mine[-ENDS:]) / fmean(mine[:ENDS]),
                "commit_over_bare_last_100": fmean(mine[-ENDS:]) / fmean(seconds["bare"][-ENDS:]),
                "commit_cpu_ms": 1000 * cpu[lane.store] / course.titles,
            }
    # random numbers do not compress: a title's second version is as large as its first
    return moments, Live(every, kept)


@dataclass(frozen=True)
class Live:
    """Bytes as bare Parquet files: of every version, and of the current ones."""

    every: int
    current: int


def _rest(course: Course, root: Path, lane: Lane, worker: Worker, moment: Any, live: Live) -> None:
    """New versions by several writers at once, upkeep, reads, and one title that all of them write."""
    found = lane.figures
    worker.ask("expect_upserts")
    with started(lane.store, WRITERS, root / lane.store, course.seed, root / "bare") as writers:
        for number, writer in enumerate(writers):
            writer.begin("write", how="replace", versions=[(title, 1) for title in course.again[number::WRITERS]])
        written = [writer.finish() for writer in writers]
    worker.ask("open")
    checked = worker.ask("check", versions=course.versions)
    size = worker.ask("size")
    maintained = worker.ask("maintain")
    after = worker.ask("size")
    every = live.every + (_sources(course) if lane.store == "amber" else 0)
    points = [(title, course.versions[title]) for title in range(0, course.titles, max(1, course.titles // POINTS))]
    point = worker.ask("point", versions=points, rounds=ROUNDS, cold=False)
    cold = worker.ask("point", versions=points[:: max(1, len(points) // COLD_POINTS)], rounds=1, cold=True)
    travel = worker.ask("travel", moment=moment, titles=_half(course))
    found |= {
        "replace_ms_4_writers": 1000 * fmean(second for answer in written for second in answer["seconds"]),
        "conflicts": sum(answer["repeated"] for answer in written),
        "lost": checked["lost"],
        "duplicate": checked["duplicate"],
        "files_before_upkeep": size["files"],
        "files": after["files"],
        "bytes_over_live_before_upkeep": size["bytes"] / every,
        "bytes_over_live": after["bytes"] / every,
        "upkeep_s": maintained["seconds"],
        "point_read_over_bare": median(point["store"]) / median(point["bare"]),
        "point_read_cold_over_bare": median(cold["store"]) / median(cold["bare"]),
        "as_of_right": travel["right"],
        "as_of_over_now": travel["then"] / travel["now"],
    }
    if lane.store != "amber":
        worker.ask("clean")
        found["bytes_over_current_without_history"] = worker.ask("size")["bytes"] / live.current
    before = worker.ask("commits")["commits"]
    with started(lane.store, WRITERS, root / lane.store, course.seed, root / "bare") as writers:
        for number, writer in enumerate(writers):
            versions = [(0, 100 + number * CONTENDED + one) for one in range(CONTENDED)]
            writer.begin("write", how="contend", versions=versions)
        found["conflicts_one_title"] = sum(writer.finish()["repeated"] for writer in writers)
    worker.ask("open")
    found["lost_one_title"] = before + WRITERS * CONTENDED - worker.ask("commits")["commits"]


def _half(course: Course) -> int:
    """How many titles there were at the moment half-way: whole blocks."""
    return course.titles // 2 // BLOCK * BLOCK


def _sources(course: Course) -> int:
    """Bytes, as bare Parquet, of the upstream values that the feature store holds besides."""
    one = len(encode(pa.table({"n": [1]}, schema=SOURCE)))
    return one * (course.titles + course.rewritten)
