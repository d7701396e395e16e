"""Near-duplicates: repeated takes inside a title and the same footage in several, against truth, at every threshold.

Films and labels are those of `duplicate_truth`; the altered shots and the rendered titles are made from the seed.

takes_precision, takes_recall     pairs of shots of the labelled films that count as takes at the default threshold.
takes_missed, distinct_dropped    shots of the labelled films that `unique_shots` kept or dropped wrongly.
altered_takes_recall              altered parts of shots (other crop, grade, encode) that count as takes of theirs.
altered_takes_wrong               share of pairs of an altered part and another shot that do.
samples_missed, samples_dropped   the same as the first two, of the drawn shots of rendered titles.
copies_found, copies_true         pairs of shots of different films, found and true.
copies_missed, copies_wrong       true pairs that were not found, and found ones that are not true.
clips_swallowed                   pairs of long shots of the clips that begin with one picture, found as copies.
altered_copies_recall             altered parts of shots that are found as copies of theirs.
altered_copies_wrong              pairs of an altered part and a shot that is not like it that are found.
screened_share                    pairs of shots of unrelated films that are looked at closely, of all there are.
"""

import os
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.duplicate_truth.altered import Altered, altered_shots
from benchmarks.duplicate_truth.curves import Curve, Pair, curve, draw
from benchmarks.duplicate_truth.films import FilmShots, film_shots, labelled_pairs, take_groups, true_copies
from benchmarks.duplicate_truth.rendered import rendered_takes
from benchmarks.harness import OUT, Measured, Target
from mediaml_assets.evaluation.copies import Place
from mediaml_assets.features.measures.copies import Title, copies, laid
from mediaml_assets.features.shot_embedding import Embeddings
from mediaml_assets.features.shot_groups import ShotGroupsConfig
from mediaml_assets.features.unique_shots import UniqueShotsConfig, takes

TARGETS: dict[str, Target] = {
    "takes_precision": (">=", 0.95),
    "takes_recall": (">=", 0.9),
    "samples_missed": ("==", 0),
    "samples_dropped": ("==", 0),
    "copies_missed": ("==", 0),
    "copies_wrong": ("==", 0),
    "clips_swallowed": ("==", 0),
    "altered_copies_recall": (">=", 0.75),
}
FILMS = Path(os.environ.get("MEDIAML_SHARED", "../shared")) / "media" / "films"
CLIPS = "penny_and_chip_"  # they begin with one picture; how much of a shot that is, is a matter of degree
LONG = 8  # prints: four seconds
TAKES, COPIES = UniqueShotsConfig(), ShotGroupsConfig()
OF_TAKES = [round(0.5 + 0.02 * step, 2) for step in range(26)]
OF_COPIES = [round(0.1 + 0.02 * step, 2) for step in range(44)]


def run(seed: int) -> Measured:
    """Every figure; about three minutes on two cores. Draws both curves beside the figures."""
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        files = [file for file in sorted(FILMS.glob("*")) if file.suffix in (".mp4", ".webm")]
        start = time.process_time()
        films = [film_shots(file, _folder(folder, file)) for file in files]
        labelled = {film.file: groups for film in films if (groups := take_groups(film))}
        altered = {film.file: altered_shots(film, random) for film in films if film.file in labelled}
        cpu = time.process_time() - start
    same_film = [pair for film in films if film.file in labelled for pair in _take_pairs(film, labelled[film.file])]
    made_over = [p for f in films if f.file in labelled for p in _altered_takes(f, altered[f.file], labelled[f.file])]
    drawn, missed, dropped = rendered_takes(seed)
    across, swallowed, screened = _across(films)
    parts = [p for f in films if f.file in labelled for p in _altered_copies(f, altered[f.file], labelled[f.file])]
    takes_curves = {
        "films, by eye": curve(same_film, OF_TAKES),
        "altered": curve(made_over, OF_TAKES),
        "drawn": curve(drawn, OF_TAKES),
    }
    copies_curves = {"films": curve(across, OF_COPIES), "altered": curve(parts, OF_COPIES)}
    OUT.mkdir(parents=True, exist_ok=True)
    draw(OUT / "takes.svg", takes_curves, TAKES.threshold, "cosine of two takes")
    draw(OUT / "copies.svg", copies_curves, COPIES.threshold, "likeness of two copies")
    kept = [_dropped(film, labelled[film.file]) for film in films if film.file in labelled]
    precision, recall = takes_curves["films, by eye"].at(TAKES.threshold)
    return Measured(
        {
            "takes_precision": precision,
            "takes_recall": recall,
            "takes_missed": sum(one for one, _ in kept),
            "distinct_dropped": sum(one for _, one in kept),
            "altered_takes_recall": takes_curves["altered"].at(TAKES.threshold)[1],
            "altered_takes_wrong": _wrong(made_over, TAKES.threshold) / max(sum(not same for _, same in made_over), 1),
            "samples_missed": missed,
            "samples_dropped": dropped,
            "copies_true": sum(same for _, same in across),
            "copies_found": sum(score >= COPIES.threshold for score, _ in across),
            "copies_missed": sum(same and score < COPIES.threshold for score, same in across),
            "copies_wrong": _wrong(across, COPIES.threshold),
            "clips_swallowed": swallowed,
            "altered_copies_recall": copies_curves["altered"].at(COPIES.threshold)[1],
            "altered_copies_wrong": _wrong(parts, COPIES.threshold),
            "screened_share": screened,
            "films_cpu_s": cpu,
        },
        details={"takes": _numbers(takes_curves), "copies": _numbers(copies_curves)},
    )


def _folder(folder: str, file: Path) -> Path:
    place = Path(folder) / file.name
    place.mkdir()
    return place


def _take_pairs(film: FilmShots, groups: dict[int, int]) -> list[Pair]:
    likeness = takes(film.embedding, TAKES.again)
    return [(float(likeness[a, b]), same) for a, b, same in labelled_pairs(groups)]


def _altered_takes(film: FilmShots, altered: Altered, groups: dict[int, int]) -> list[Pair]:
    """Each labelled shot with each altered part of a labelled one."""
    both = np.concatenate([film.embedding.vectors, altered.embedding.vectors])
    likeness = takes(Embeddings(np.arange(len(both), dtype=np.int32), both), TAKES.again)
    parts = [(place, of) for place, of in enumerate(altered.of) if of in groups]
    first = len(film.embedding.index)
    return [
        (float(likeness[a, first + place]), groups[a] == groups[of])
        for a in groups
        for place, of in parts
        if a == of or groups[a] != groups[of]
    ]


def _dropped(film: FilmShots, groups: dict[int, int]) -> tuple[int, int]:
    """Repeats that were kept, and shots of their own that were dropped."""
    kept = {shot.index for shot in film.unique}
    repeats = [place for place, of in groups.items() if place != of]
    alone = [place for place, of in groups.items() if place == of]
    return sum(place in kept for place in repeats), sum(place not in kept for place in alone)


def _across(films: list[FilmShots]) -> tuple[list[Pair], int, float]:
    """Pairs of shots of different films that are found at the lowest threshold, or true; clips swallowed; screened."""
    true = true_copies(films)
    found: dict[tuple[Place, Place], float] = {}
    swallowed = screened = all_pairs = 0
    for a, b in combinations(films, 2):
        for one in copies(Title(a.prints), Title(b.prints), OF_COPIES[0]):
            pair = (a.file, one.a), (b.file, one.b)
            clips = a.file.startswith(CLIPS) and b.file.startswith(CLIPS)
            long = min(a.prints.count[one.a], b.prints.count[one.b]) >= LONG
            swallowed += clips and long and one.likeness >= COPIES.threshold
            if pair in true or not clips:
                found[pair] = one.likeness
        if not any({x[0], y[0]} == {a.file, b.file} for x, y in true):
            seen = laid(Title(a.prints), Title(b.prints))
            screened += len(set(zip(seen.a.tolist(), seen.b.tolist(), strict=True)))
            all_pairs += len(a.shots) * len(b.shots)
    pairs = [(found.get(pair, 0.0), pair in true) for pair in {*found, *true}]
    return pairs, swallowed, screened / max(all_pairs, 1)


def _altered_copies(film: FilmShots, altered: Altered, groups: dict[int, int]) -> list[Pair]:
    """Altered parts and shots of a film: those that are found, and those that should be."""
    found = {(one.a, one.b): one.likeness for one in copies(Title(film.prints), Title(altered.prints), OF_COPIES[0])}
    wanted = {(of, place) for place, of in enumerate(altered.of)}
    others = {
        (a, b) for a, b in found if a in groups and altered.of[b] in groups and groups[a] != groups[altered.of[b]]
    }
    return [(found.get(pair, 0.0), pair in wanted) for pair in wanted | others]


def _wrong(pairs: list[Pair], threshold: float) -> int:
    return sum(score >= threshold and not same for score, same in pairs)


def _numbers(curves: dict[str, Curve]) -> dict[str, list[list[float]]]:
    """Rows of threshold, precision, recall."""
    return {
        name: [[t, round(p, 4), round(r, 4)] for t, p, r in zip(one.thresholds, one.precision, one.recall, strict=True)]
        for name, one in curves.items()
    }
