"""Whether a calibrated score means the same in every flavour and for films that its curve was not made from.

Ends are taken every `PIECE` seconds of the shots of real films, where the picture is one to cut on; pairs are of
different works (films whose names begin with the same word are one work), in both directions. MEANING of
`matching/calibration.py` says which share of them should reach each score.

<flavour>_held_out   the worst of the works that have `LEAST` pairs or more: the curve is made without the work, and the
                     share of the work's pairs that reach 0.6 is compared with the 1 in 1,000 that should; the larger of
                     the ratio and its inverse (1: as it should be).
<flavour>_pairs      unrelated pairs in all.

With WRITE=1 in the environment the curves of all flavours are written to `mediaml_assets/matching/calibration.json`.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.harness import Measured, Target
from benchmarks.media.encode_view import EncodeView
from mediaml_assets.features.shot_kinds import ShotKinds
from mediaml_assets.features.shots import Shot, Shots
from mediaml_assets.jasper.reading.media import Media
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import standardize
from mediaml_assets.matching import calibration
from mediaml_assets.matching.calibration import MEANING, Curve, Scores, fitted
from mediaml_assets.matching.flavours.flavour import Ends, Flavour
from mediaml_assets.matching.flavours.registry import FLAVOURS
from mediaml_assets.mesh import mesh

TARGETS: dict[str, Target] = {}
FILMS = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media" / "films"
ENDINGS = (".mp4", ".webm", ".mkv")
PIECE = 1.0  # seconds
HELD_OUT = 0.6
LEAST = 20_000  # pairs, of which 20 should reach HELD_OUT


@dataclass(frozen=True)
class Film:
    """The pieces of a film: the rows of each flavour's feature, one row a piece."""

    work: str
    rows: dict[str, pa.Table]


def run(seed: int) -> Measured:
    """Every figure; the seed draws nothing, the films are what there is. Some minutes on two cores."""
    found = list(films()) if FILMS.is_dir() else []
    figures: dict[str, float] = {}
    table = Table(title="share of pairs that reach a score, over the share that should", title_justify="left")
    for column in ("flavour", "work held out", "pairs", *(f"{score:g}" for score in MEANING)):
        table.add_column(column, justify="left" if column in ("flavour", "work held out") else "right")
    curves: dict[str, Curve] = {}
    for name, flavour in FLAVOURS.items():
        pairs = unrelated(flavour, found) if found else {}
        ratios = [_held_out(flavour, work, pairs, table) for work in works(pairs)]
        figures[f"{name}_held_out"] = max(ratios, default=float("nan"))
        figures[f"{name}_pairs"] = sum(len(scores) for scores in pairs.values())
        if pairs:
            curves[name] = fitted(flavour.version, np.concatenate(list(pairs.values())))
    if os.environ.get("WRITE") and curves:
        text = json.dumps({name: asdict(curve) for name, curve in curves.items()}, indent=1) + "\n"
        Path(calibration.__file__).with_name(calibration.CURVES).write_text(text, encoding="utf-8")
    return Measured(figures, [table])


def films() -> Iterator[Film]:
    """Every film of the folder that has a piece, with the rows of its pieces."""
    for path in sorted(one for one in FILMS.iterdir() if one.suffix in ENDINGS):
        with tempfile.TemporaryDirectory() as folder:
            media = Media.from_value(EncodeView(path.stem, standardize(path, ML_360P, Path(folder))))
            rows = rows_of_pieces(media)
        if rows:
            yield Film(path.stem.split("_")[0], rows)


def rows_of_pieces(media: Media) -> dict[str, pa.Table]:
    """The rows of each flavour's feature, one a piece of the film's shots; none when no shot is long enough.

    Pieces that begin or end on black, on a plain colour or on a card are left out, as they are of match cuts.
    """
    features = mesh().features
    have: dict[str, Any] = {"standard_encode": media}

    def value(name: str) -> pa.Table:
        feature = features[name]
        arguments = {
            one.name: have[one.name] if one.name in have else one.reads.from_table(value(one.name))
            for one in feature.inputs
        }
        return feature(**arguments, **({} if feature.config is None else {"config": feature.config}))

    have["shots"] = pieces(Shots.from_table(value("shots")), float(media.rate))
    kinds = ShotKinds.from_table(value("shot_kinds"))
    fit = zip(have["shots"], kinds.tail & kinds.head, strict=True)
    have["shots"] = have["unique_shots"] = Shots(tuple(piece for piece, both in fit if both))
    if not len(have["shots"]):
        return {}
    return {flavour.feature: value(flavour.feature) for flavour in FLAVOURS.values()}


def pieces(shots: Shots, rate: float) -> Shots:
    """The usable frames of all shots in pieces of PIECE seconds, numbered from 0; what is left at an end is dropped."""
    length = round(PIECE * rate)
    starts = [start for shot in shots for start in range(shot.usable_start, shot.usable_end - length + 1, length)]
    return Shots(tuple(Shot(i, start, start + length, start, start + length) for i, start in enumerate(starts)))


def unrelated(flavour: Flavour, found: Sequence[Film]) -> dict[tuple[str, str], Scores]:
    """Own scores of all pairs of different works, by the two works in order."""
    ends = {
        work: Ends.joined([flavour.ends(film.rows[flavour.feature]) for film in found if film.work == work])
        for work in sorted({film.work for film in found})
    }
    return {
        (a, b): own_scores(flavour, ends[a], ends[b])
        for a in ends
        for b in ends
        if a != b and len(ends[a]) and len(ends[b])
    }


def own_scores(flavour: Flavour, tails: Ends, heads: Ends) -> Scores:
    """The final scores of every tail with every head, flat: float64 [n m]."""
    first: NDArray[np.float32] = tails.out @ heads.in_.T
    scores = np.clip(first.astype(np.float64), 0, 1)
    if flavour.exact is not None:
        for row in range(len(tails)):
            repeated = np.repeat(tails.out_details[row : row + 1], len(heads), axis=0)
            scores[row] = np.where(first[row] > 0, flavour.exact(repeated, heads.in_details), 0)
    return scores.ravel()


def works(pairs: dict[tuple[str, str], Scores]) -> list[str]:
    """The works that have enough pairs to be held out."""
    names = sorted({work for both in pairs for work in both})
    return [work for work in names if sum(len(s) for both, s in pairs.items() if work in both) >= LEAST]


def _held_out(flavour: Flavour, work: str, pairs: dict[tuple[str, str], Scores], table: Table) -> float:
    """How far a work's share is off at HELD_OUT; adds its row to the table."""
    others = [scores for both, scores in pairs.items() if work not in both]
    own = np.concatenate([scores for both, scores in pairs.items() if work in both])
    curve = fitted(flavour.version, np.concatenate(others))
    ratios = {score: float(np.mean(curve(own) >= score)) / share for score, share in MEANING.items()}
    table.add_row(flavour.name, work, f"{len(own):,}", *(f"{ratio:.2f}" for ratio in ratios.values()))
    seen = max(ratios[HELD_OUT], 1 / len(own) / MEANING[HELD_OUT])
    return max(seen, 1 / seen)
