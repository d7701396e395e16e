"""The shots of a film with what near-duplicates are found by, and what people say of them.

`<file>.takes.csv` says which shots of a film repeat an earlier one (`frame,of`: a picture of the one and of the other;
nothing after the comma for a shot that repeats none). `copies.csv` has one row for each two shots of different files
that show the same footage. A shot that is not named is open to dispute, and not scored.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from benchmarks.samples import standard_media
from mediaml_assets.features.joined_shots import JoinedShots
from mediaml_assets.features.shot_embedding import Embeddings, ShotEmbeddingConfig, shot_embedding
from mediaml_assets.features.shot_prints import ShotPrints, shot_prints
from mediaml_assets.features.shots import shots
from mediaml_assets.features.unique_shots import UniqueShots, UniqueShotsConfig, unique_shots
from mediaml_assets.jasper.reading.media import Media

TRUTH = Path(__file__).parent


@dataclass(frozen=True)
class FilmShots:
    """A film: the name of its file, its standard encode, its shots and what is known of each."""

    file: str
    media: Media
    shots: JoinedShots
    embedding: Embeddings
    prints: ShotPrints
    unique: UniqueShots

    def place(self, picture: int) -> int:
        """The place of the shot that shows a picture of the file (the films here have constant rates)."""
        frame = min(picture, self.media.frame_count - 1)
        return next(place for place, shot in enumerate(self.shots) if shot.start <= frame < shot.end)


def film_shots(file: Path, folder: Path) -> FilmShots:
    """Standardise a film into `folder` and compute its features."""
    media = standard_media(file.stem, file, folder)
    split = JoinedShots.from_table(shots(media))
    embedding = Embeddings.from_table(shot_embedding(media, split, ShotEmbeddingConfig()))
    kept = UniqueShots.from_table(unique_shots(split, embedding, UniqueShotsConfig()))
    return FilmShots(file.name, media, split, embedding, ShotPrints.from_table(shot_prints(media, split)), kept)


def take_groups(film: FilmShots) -> dict[int, int] | None:
    """Place of each labelled shot to that of the earliest shot it repeats, or its own; None without labels."""
    labels = TRUTH / f"{film.file}.takes.csv"
    if not labels.is_file():
        return None
    return {film.place(int(row["frame"])): film.place(int(row["of"] or row["frame"])) for row in _rows(labels)}


def true_copies(films: Sequence[FilmShots]) -> set[tuple[tuple[str, int], tuple[str, int]]]:
    """Pairs of (file, place) that show the same footage, the lesser first."""
    by_name = {film.file: film for film in films}
    pairs = set()
    for row in _rows(TRUTH / "copies.csv"):
        if row["file"] in by_name and row["of_file"] in by_name:
            ends = [
                (row[f], by_name[row[f]].place(int(row[n]))) for f, n in (("file", "frame"), ("of_file", "of_frame"))
            ]
            pairs.add((min(ends), max(ends)))
    return pairs


def labelled_pairs(groups: dict[int, int]) -> list[tuple[int, int, bool]]:
    """Every two labelled shots of a film, the earlier first, and whether they are takes of one."""
    return [(a, b, groups[a] == groups[b]) for a, b in combinations(sorted(groups), 2)]


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(line for line in text if line[0] != "#"))
