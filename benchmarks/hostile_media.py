"""Corrupted films: none crashes or hangs its caller, and each is used with its damage on record or quarantined.

30 variants of each of ten films (bits flipped, cut short, bytes lost or zeroed, two films spliced, header fields
changed) are standardised as the platform does it, two at a time.

crashes            variants whose reading raised anything but a refusal.
hangs              variants whose reading came back later than its bounds allow.
silently_wrong     variants taken without a word of damage whose pictures are not those of the whole film: `details`
                   lists them with what differs.
used_ok            taken without a word of damage, with the pictures of the whole film.
used_with_damage   taken, with its damage on record: what the verdict says of it is not what it says of the whole film.
quarantined        refused with a reason, or with the verdict quarantine.
contained_crashes  refused because the process that read it crashed or was killed: the caller saw a reason.
contained_hangs    refused because the process that read it came to a standstill, and was killed.
"""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.harness import Measured, Target
from benchmarks.hostile.films import films
from benchmarks.hostile.variants import DAMAGES
from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.delivered.isolated import isolated
from mediaml_assets.jasper.frame_tape import FrameTape
from mediaml_assets.jasper.limits import Limits
from mediaml_assets.jasper.quality.thresholds import judge, verdict
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize

TARGETS: dict[str, Target] = {"crashes": ("==", 0), "hangs": ("==", 0)}
FIGURES = (
    "crashes", "hangs", "silently_wrong", "used_ok", "used_with_damage", "quarantined", "contained_crashes",
    "contained_hangs",
)  # fmt: skip
PER_FILM = 30
PROCESSES = 2
LIMITS = Limits(stall_seconds=20, base_seconds=60)
LATE = LIMITS.base_seconds + LIMITS.stall_seconds
"""Seconds after which an answer is none."""
ALIKE = 3.0
"""Luma that a picture of the tape may be off on average: less than what one lost picture moves."""


@dataclass(frozen=True)
class Answer:
    """What came of one file.

    Attributes:
        kind: ok, warn, quarantine, refused or crashed.
        words: reasons, or the error.
        seconds: how long it took.
        tape: luma of every frame, uint8 [n, 36, 64]; None where nothing was made.
    """

    kind: str
    words: tuple[str, ...]
    seconds: float
    tape: "np.typing.NDArray[np.uint8] | None" = None


@dataclass(frozen=True)
class Variant:
    """A damaged film: which one of which film, by what, and its answer."""

    film: str
    number: int
    damage: str
    answer: Answer


def run(seed: int) -> Measured:
    """Damage the films and standardise every variant."""
    with tempfile.TemporaryDirectory() as folder:
        given = films(Path(folder), seed)
        whole = {path.name: answer(path) for path in given}
        variants = answers(given, seed, PER_FILM, Path(folder))
    counts, silent = count(variants, whole)
    return Measured(counts, [_by_damage(variants, whole)], {"silently_wrong": silent})


def answers(given: Sequence[Path], seed: int, per_film: int, folder: Path) -> list[Variant]:
    """Standardise `per_film` variants of each film; what they are follows from the seed alone."""
    jobs = [(film, number) for film in given for number in range(per_film)]

    def one(job: tuple[Path, int]) -> Variant:
        film, number = job
        random = np.random.default_rng([seed, given.index(film), number])
        damage = list(DAMAGES)[number % len(DAMAGES)]
        other = given[int(random.integers(len(given)))]
        path = folder / f"{film.stem[:8]}-{number}{film.suffix}"
        path.write_bytes(DAMAGES[damage](film.read_bytes(), other.read_bytes(), random))
        try:
            return Variant(film.name, number, damage, answer(path))
        finally:
            path.unlink()

    with ThreadPoolExecutor(PROCESSES) as threads:
        return list(threads.map(one, jobs))


def answer(path: Path) -> Answer:
    """Standardise one file, isolated, and say what came of it."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        try:
            encode: StandardEncode = isolated(standardize, path, ML_360P, Path(folder), limits=LIMITS)
        except MediaRefused as refused:
            return Answer("refused", (str(refused),), time.monotonic() - start)
        except Exception as error:
            return Answer("crashed", (str(error),), time.monotonic() - start)
        tape = FrameTape.open(encode.tape).y.copy()
        found = judge(encode.row())
        return Answer(verdict(found), tuple(one.reason for one in found), time.monotonic() - start, tape)


def count(variants: Sequence[Variant], whole: dict[str, Answer]) -> tuple[dict[str, float], list[dict[str, object]]]:
    """The figures, and the variants that are silently wrong, each with what differs."""
    counts: Counter[str] = Counter(dict.fromkeys(FIGURES, 0))
    silent: list[dict[str, object]] = []
    for one in variants:
        counts["hangs"] += one.answer.seconds > LATE
        words = " ".join(one.answer.words)
        counts["contained_crashes"] += "crashes its decoder" in words or "system killed" in words
        counts["contained_hangs"] += "standstill" in words
        kind = outcome(one.answer, whole[one.film])
        counts[kind] += 1
        if kind == "silently_wrong":
            differs = difference(one.answer, whole[one.film])
            silent.append({"film": one.film, "number": one.number, "damage": one.damage, "differs": differs})
    return {key: float(value) for key, value in counts.items()}, silent


def outcome(found: Answer, whole: Answer) -> str:
    """What became of a variant, as a figure's name."""
    if found.kind == "crashed":
        return "crashes"
    if found.kind in ("refused", "quarantine"):
        return "quarantined"
    if found.words != whole.words:
        return "used_with_damage"
    return "silently_wrong" if difference(found, whole) else "used_ok"


def difference(found: Answer, whole: Answer) -> str:
    """How the pictures of a variant differ from those of the whole film, in words; empty when they do not."""
    if found.tape is None or whole.tape is None:
        return "no pictures"
    if len(found.tape) != len(whole.tape):
        return f"{len(found.tape)} frames instead of {len(whole.tape)}"
    off = np.abs(found.tape.astype(np.int16) - whole.tape).mean(axis=(1, 2))
    wrong = np.flatnonzero(off > ALIKE)
    return f"{len(wrong)} frames from {wrong[0]} on, by up to {off.max():.1f}" if len(wrong) else ""


def _by_damage(variants: Sequence[Variant], whole: dict[str, Answer]) -> Table:
    kinds = ("used_ok", "used_with_damage", "quarantined", "silently_wrong", "crashes")
    table = Table("damage", *kinds, title="what became of them", title_justify="left")
    for damage in DAMAGES:
        found = Counter(outcome(one.answer, whole[one.film]) for one in variants if one.damage == damage)
        table.add_row(damage, *(str(found[kind]) for kind in kinds))
    return table
