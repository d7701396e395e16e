from dataclasses import replace

import pytest

from mediaml_assets.samples.plan import Catalogue, TitlePlan
from mediaml_assets.samples.script import write

SEEDS = (3, 11)


@pytest.fixture(scope="session")
def catalogues() -> tuple[Catalogue, ...]:
    return tuple(write(seed) for seed in SEEDS)


@pytest.fixture(scope="session")
def catalogue(catalogues: tuple[Catalogue, ...]) -> Catalogue:
    return catalogues[0]


@pytest.fixture(scope="session")
def titles(catalogues: tuple[Catalogue, ...]) -> list[TitlePlan]:
    return [title for catalogue in catalogues for title in catalogue.titles]


def beginning(title: TitlePlan, frames: int) -> TitlePlan:
    """The first shots of a title, up to a cut at `frames` or later."""
    last = next(i for i, join in enumerate(title.joins) if join.kind == "cut" and join.boundary >= frames)
    end = title.joins[last].boundary
    return replace(
        title,
        frame_count=end,
        shots=title.shots[: last + 1],
        joins=title.joins[:last],
        flashes=tuple(f for f in title.flashes if f.end <= end),
        left_out=tuple(f for f in title.left_out if f < end),
        plants=(),
        decoys=(),
    )
