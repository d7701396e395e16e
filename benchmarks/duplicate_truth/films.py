"""The shots of a film with what near-duplicates are found by, and what people say of them.

`<file>.takes.csv` and `copies.csv` beside this module are of the formats that `mediaml evaluate` reads. A shot that is
not named is open to dispute, and not scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from benchmarks.samples import standard_media
from mediaml_assets.evaluation.copies import NAME, Place, read_copies
from mediaml_assets.evaluation.takes import SUFFIX, read_takes
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
    labels = TRUTH / f"{film.file}{SUFFIX}"
    if not labels.is_file():
        return None
    truth = read_takes(labels)
    alone = {film.place(start): film.place(start) for start, _ in truth.alone}
    return alone | {film.place(shot[0]): film.place(of[0]) for shot, of in truth.repeats}


def true_copies(films: Sequence[FilmShots]) -> set[tuple[Place, Place]]:
    """Pairs of (file, place of a shot) that show the same footage, the lesser first."""
    by_name = {film.file: film for film in films}
    every = read_copies(TRUTH / NAME, {film.file: (film.file, int) for film in films})
    ends = [
        ((one.title1, by_name[one.title1].place(one.frame1)), (one.title2, by_name[one.title2].place(one.frame2)))
        for one in every
    ]
    return {(min(pair), max(pair)) for pair in ends}


def labelled_pairs(groups: dict[int, int]) -> list[tuple[int, int, bool]]:
    """Every two labelled shots of a film, the earlier first, and whether they are takes of one."""
    return [(a, b, groups[a] == groups[b]) for a, b in combinations(sorted(groups), 2)]
