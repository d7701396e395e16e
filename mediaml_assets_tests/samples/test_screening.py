import numpy as np
import pytest

from mediaml_assets.samples import screening
from mediaml_assets.samples.plan import Catalogue, TitlePlan
from mediaml_assets.samples.scenes import Stage
from mediaml_assets.samples.screening import Screening

FLAT = np.full((45 * 3, 160), 100, np.uint8)


def measured(title: TitlePlan) -> list[Screening]:
    height = 2 * round(80 * title.geometry.aspect)
    stages = (Stage(s, 160, height, title.geometry.aspect, float(title.rate)) for s in title.shots)
    return [screening.screened(stage) for stage in stages]


def test_change_adds_up_the_planes() -> None:
    a = screening.reduced(FLAT)
    b = a.copy()
    b[: screening.LUMA] += 10
    b[screening.LUMA :] += 3
    assert screening.change(a, a) == 0
    assert screening.change(a, b) == pytest.approx(16)


def test_what_the_casting_promises_holds_in_the_drawn_pictures(catalogue: Catalogue) -> None:
    low = 0
    for title in catalogue.titles[2::3]:
        shots = measured(title)
        originals = [i for i, s in enumerate(title.shots) if s.take_of is None]
        for place, i in enumerate(originals):
            assert screening.likeness_fault(shots[i], [shots[j] for j in originals[:place]]) == 0
        for i, join in enumerate(title.joins):
            a, b, share = shots[i], shots[i + 1], title.geometry.share
            if join.kind == "cut":
                assert screening.cut_fault(a, b, share, low=False) == 0
                step = share * screening.change(a.tail[2], b.head[0])
                assert step >= 14
                low += step < screening.LOW_CONTRAST
            elif join.kind == "dissolve":
                assert screening.dissolve_fault(a, b, share) == 0
            else:
                assert screening.fade_fault(a, b) == 0
                assert screening.bright_fault(a) == screening.bright_fault(b) == 0
    assert low >= 2


def test_a_take_looks_like_its_original(catalogue: Catalogue) -> None:
    for title in catalogue.titles[2::3]:
        shots = measured(title)
        for shot in title.shots:
            if shot.take_of is not None:
                assert float((shots[shot.index].thumbs @ shots[shot.take_of].thumbs.T).max()) > 0.85


def test_a_shot_is_like_itself(catalogue: Catalogue) -> None:
    shot = measured(catalogue.titles[2])[0]
    assert screening.likeness_fault(shot, []) == 0
    assert screening.likeness_fault(shot, [shot]) == pytest.approx(1 - screening.LIKENESS, abs=1e-3)
    assert screening.cut_fault(shot, shot, 1.0, low=False) > 0
