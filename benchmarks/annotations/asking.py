"""Questions asked of Marken, by the clock, and how far the answers are right."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.annotations.questions import Combined, Groups, Join, Ranges
from mediaml_assets.marken.marken import Marken

Question = TypeVar("Question")
Reply = TypeVar("Reply")
SECOND = 1e-9
"""Up to which ends of ranges count as the same."""


@dataclass(frozen=True)
class Asked:
    """Milliseconds of each question."""

    ms: Sequence[float]
    cpu_ms: float = float("nan")
    """Of all threads of this process, the mean."""

    @property
    def p50(self) -> float:
        """The median."""
        return float(np.percentile(self.ms, 50))

    @property
    def p95(self) -> float:
        """What one in twenty exceeds."""
        return float(np.percentile(self.ms, 95))


def timed(ask: Callable[[Question], Reply], questions: Sequence[Question], warm: int = 5) -> tuple[list[Reply], Asked]:
    """Every question once, one after the other, after some that are not counted."""
    for one in questions[:warm]:
        ask(one)
    replies, ms = [], []
    cpu = time.process_time()
    for one in questions:
        began = time.perf_counter()
        replies.append(ask(one))
        ms.append((time.perf_counter() - began) * 1e3)
    return replies, Asked(ms, (time.process_time() - cpu) / len(questions) * 1e3)


def combined(marken: Marken) -> Callable[[Combined], Groups]:
    """How Marken answers a question of time, space, label, vector and group."""

    def ask(one: Combined) -> Groups:
        hits = marken.search(one.search()).hits
        return [(hit["group"], [inner["id"] for inner in hit["inner_hits"]]) for hit in hits]

    return ask


def joined(marken: Marken) -> Callable[[Join], Ranges]:
    """How Marken answers a question of two types at one time."""

    def ask(one: Join) -> Ranges:
        return [(hit["start"], hit["end"]) for hit in marken.search(one.search()).hits]

    return ask


def recall(found: Sequence[Groups], right: Sequence[Groups]) -> float:
    """Of all hits that are right, how many were found in their group."""
    pairs = [{(title, id) for title, ids in groups for id in ids} for groups in right]
    kept = [{(title, id) for title, ids in groups for id in ids} for groups in found]
    return sum(len(one & other) for one, other in zip(kept, pairs, strict=True)) / sum(map(len, pairs))


def wrong_ranges(found: Sequence[Ranges], right: Sequence[Ranges]) -> int:
    """Answers that are not the right ranges."""
    return sum(
        len(one) != len(other) or not np.allclose(one, other, rtol=0, atol=SECOND)
        for one, other in zip(found, right, strict=True)
    )
