"""Shot boundaries beside PySceneDetect's: how many are right, on films composed from the seed and on real ones; cost.

composite_gain        F1 of all transitions on a composed film (`boundaries/composites.py`, the recipe), less that of
                      PySceneDetect's best detector at its best setting (`boundaries/peer.py`: tuned on the same film)
real_f1_gain          F1 of cuts on real films, all together, less that of the peer, tuned on them for cuts
real_all_gain         F1 of all transitions on real films, less that of the peer, tuned on them for all;
                      real_all_gain_low and _high are the 95 % interval of a paired bootstrap by film
cpu_over_decode       CPU of decoding standard encodes, reducing them to tapes and finding boundaries, over decoding
                      alone. In a home the tape is there: the standardising pass wrote it (tape_written_us_per_frame),
                      and detect_over_decode is all
peer_cpu_over_ours    CPU of the peer, tuned on the composed film, from the same standard encodes by its faster backend,
                      over all of ours
harder_*              the same on a composed film that has wipes, and where two pieces in five are in low light

FILMS= names a folder of films with `<film>.cuts.csv` beside them; without it they are those of MEDIAML_SHARED. Where
there are none, films are composed from the rendered samples, and what needs real films is not measured. Encodes are
kept below MEDIAML_HOME. Scoring: `boundaries/scoring.py`. The peer reads the same files.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.boundaries import composites, peer
from benchmarks.boundaries.cost import Cost, cost, detected
from benchmarks.boundaries.films import Film, labelled, rendered
from benchmarks.boundaries.peer import Setting
from benchmarks.boundaries.scoring import Counts, Score, difference_interval, score
from benchmarks.boundaries.tables import outcome, scores_table
from benchmarks.harness import Measured, Target
from benchmarks.peers import Unavailable
from mediaml_assets.settings import home

TARGETS: dict[str, Target] = {
    "composite_gain": (">=", 0.04),
    "real_f1_gain": (">=", 0),
    "real_all_gain": (">=", 0.02),
    "cpu_over_decode": ("<=", 1.35),
    "peer_cpu_over_ours": (">=", 1.8),
}
JOINS, HARDER_JOINS = 219, 150
TIMED_FRAMES, TIMED_FILMS, ROUNDS = 1_500, 2, 5


@dataclass(frozen=True)
class Group:
    """Films that are scored together: our scores, and the peer's at every setting (empty if it cannot be had)."""

    name: str
    films: Sequence[Film]
    ours: tuple[Score, ...]
    theirs: Sequence[Setting]

    def total(self, counts: Callable[[Score], Counts]) -> Counts:
        """Ours of all films together."""
        return sum((counts(one) for one in self.ours), Counts())


def every(one: Score) -> Counts:
    """Of all transitions."""
    return one.all


def hard(one: Score) -> Counts:
    """Of cuts alone."""
    return one.hard


def run(seed: int) -> Measured:
    """Every figure; some minutes, a minute more where encodes must be made first."""
    kept = home().root / "benchmarks" / "shots"
    shared = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media/films"
    folder = Path(os.environ.get("FILMS") or shared)
    real = labelled(folder, kept) if folder.is_dir() else []
    sources = real or rendered(seed, kept)
    recipe, harder = composites.composed(sources, seed, kept / f"seed-{seed}", (JOINS, HARDER_JOINS))
    films = [recipe, harder, *real]
    ours = [score([one.at for one in detected(film)], film.labels) for film in films]
    try:
        theirs, reason = peer.settings(films), ""
    except Unavailable as error:
        theirs, reason = [], str(error)
    groups = [
        _group(name, slice(low, high), films, ours, theirs)
        for name, low, high in (("composite", 0, 1), ("harder", 1, 2), ("real", 2, len(films)))
        if films[low:high]
    ]
    timed = sorted(films[2:] or films[:1], key=lambda film: abs(len(film.tape) - TIMED_FRAMES))[:TIMED_FILMS]
    figures = {**_quality(groups, seed), **_costs(timed, groups[0])}
    details = {"films": [outcome(film, one) for film, one in zip(films, ours, strict=True)], "peer": reason}
    return Measured(figures, [scores_table(group.name, *_rows(group)) for group in groups], details)


def _group(name: str, part: slice, films: Sequence[Film], ours: Sequence[Score], theirs: Sequence[Setting]) -> Group:
    settings = [Setting(one.name, one.arguments, one.scores[part]) for one in theirs]
    return Group(name, films[part], tuple(ours[part]), settings)


def _quality(groups: Sequence[Group], seed: int) -> dict[str, float]:
    """F1 of ours, of the peer at its best defaults, and tuned."""
    unknown = float("nan")
    figures = {"composite_gain": unknown, "real_f1_gain": unknown, "real_all_gain": unknown}
    for group in groups:
        wanted: list[tuple[str, Callable[[Score], Counts]]] = [(group.name, every)]
        if group.name == "real":
            wanted = [("real", hard), ("real_all", every)]
        for name, counts in wanted:
            f1 = "real_all_f1" if name == "real_all" else f"{name}_f1"
            figures[f1] = group.total(counts).f1
            if not group.theirs:
                continue
            tuned = peer.best(group.theirs, counts)
            figures[f"{f1}_peer_default"] = peer.best(group.theirs, counts, defaults=True).total(counts).f1
            figures[f"{f1}_peer_tuned"] = tuned.total(counts).f1
            gain = "real_f1_gain" if name == "real" else f"{name}_gain"
            figures[gain] = figures[f1] - figures[f"{f1}_peer_tuned"]
            if name == "real_all":
                pairs = [counts(one) for one in group.ours], [counts(one) for one in tuned.scores]
                figures["real_all_gain_low"], figures["real_all_gain_high"] = difference_interval(*pairs, seed)
    return figures


def _costs(films: Sequence[Film], composite: Group) -> dict[str, float]:
    """What ours costs beside decoding, and the peer beside ours."""
    tuned = peer.best(composite.theirs, every) if composite.theirs else None
    ours, theirs = Cost(0, 0, 0, 0), 0.0
    for film in films:
        rounds = [(cost(film), peer.cpu(film, tuned) if tuned else float("nan")) for _ in range(ROUNDS)]
        ours += Cost.least([one for one, _ in rounds])
        theirs += min(other for _, other in rounds)
    frames = sum(len(film.tape) for film in films)
    return {
        "cpu_over_decode": ours.whole / ours.decode,
        "detect_over_decode": ours.detect / ours.decode,
        "decode_us_per_frame": 1e6 * ours.decode / frames,
        "tape_us_per_frame": 1e6 * (ours.tape - ours.decode) / frames,
        "tape_written_us_per_frame": 1e6 * (ours.written - ours.decode) / frames,
        "detect_us_per_frame": 1e6 * ours.detect / frames,
        "peer_cpu_over_ours": theirs / ours.whole,
    }


def _rows(group: Group) -> tuple[Sequence[Film], list[tuple[str, Sequence[Score]]]]:
    """Whose scores a table of the group shows."""
    rows: list[tuple[str, Any]] = [("ours", group.ours)]
    if group.theirs:
        shown = {str(one): one for one in group.theirs if not one.arguments}
        shown |= {f"{one} (tuned)": one for one in (peer.best(group.theirs, every), peer.best(group.theirs, hard))}
        rows += [(name, one.scores) for name, one in shown.items()]
    return group.films, rows
