import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.gallery import iou, outline_bits
from mediaml_assets.samples.plan import Catalogue, Place, Shape, ShotPlan, TitlePlan
from mediaml_assets.samples.scenes import Stage

Bits = npt.NDArray[np.bool_]
Key = tuple[str, int]
BOX = Shape("star", (0.0,) * 8)


def test_overlap_of_known_masks() -> None:
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert iou(a, a) == 1
    assert iou(a, b) == 1 / 3
    assert iou(a, ~a) == 0
    assert iou(np.zeros(4, bool), np.zeros(4, bool)) == 0


def test_an_outline_moves_with_its_place() -> None:
    here, there = (outline_bits(BOX, Place(x, 0.0, 0.5)) for x in (-0.25, 0.25))
    assert iou(here, there) == 0
    assert np.count_nonzero(here) == np.count_nonzero(there) > 0


def filmed_ends(title: TitlePlan, shot: ShotPlan) -> tuple[Bits, Bits]:
    """The true masks on the last and on the first frame, as drawn."""
    stage = Stage(shot, 96, 2 * round(48 * title.geometry.aspect), title.geometry.aspect, float(title.rate))
    tail, head = (stage.figure_mask(k) > 127 for k in (shot.visible - 1, 0))
    return tail, head


def test_planted_silhouettes_overlap_and_no_others_do(catalogues: tuple[Catalogue, ...]) -> None:
    for catalogue in catalogues:
        wide = [t for t in catalogue.titles if abs(t.geometry.aspect - 9 / 16) < 0.01]
        pairs = {
            ((p.title1, p.shot1), (p.title2, p.shot2))
            for t in catalogue.titles
            for p in t.plants
            if p.flavour == "frame"
        }
        tails: dict[Key, Bits] = {}
        heads: dict[Key, Bits] = {}
        for title in wide:
            for shot in title.shots:
                if shot.figure is not None and shot.take_of is None:
                    tails[title.title, shot.index], heads[title.title, shot.index] = filmed_ends(title, shot)
        overlap = {(a, b): iou(tails[a], heads[b]) for a in tails for b in heads if a != b}
        assert min(value for pair, value in overlap.items() if pair in pairs) > 0.9
        assert max(value for pair, value in overlap.items() if pair not in pairs) <= 0.6


def test_planted_silhouettes_stand_in_the_middle(catalogue: Catalogue) -> None:
    by_name = {t.title: t for t in catalogue.titles}
    for plant in (p for t in catalogue.titles for p in t.plants if p.flavour == "frame"):
        figure = by_name[plant.title1].shots[plant.shot1].figure
        assert figure is not None and figure.tail is not None
        assert abs(figure.tail.x) <= 0.25
