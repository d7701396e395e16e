from itertools import combinations

import numpy as np
import pytest

from mediaml_assets.samples.plan import Move
from mediaml_assets.samples.planting import MIN_ANGLE, Cue, deal, motion_codes

TITLES, ALONE = 6, 5


def coded(seed: int) -> list[tuple[Cue, Move]]:
    rng = np.random.default_rng(seed)
    cues = [c for c in deal(rng, TITLES, ALONE) if c.moving]
    codes = motion_codes(rng, cues)
    return list(zip(cues, codes, strict=True)) if codes else []


def test_the_angle_between_movements() -> None:
    right, down, grow = Move(dx=0.3), Move(dy=0.2), Move(zoom=0.5)
    assert right.angle_to(right.times(2)) == pytest.approx(0, abs=1e-5)
    assert right.angle_to(down) == pytest.approx(90)
    assert right.angle_to(right.times(-1)) == pytest.approx(180)
    assert grow.angle_to(right) == pytest.approx(90)


def test_most_seeds_find_movements() -> None:
    assert sum(bool(coded(seed)) for seed in range(30)) >= 20


@pytest.mark.parametrize("seed", range(30))
def test_movements_of_different_codes_cannot_be_mistaken(seed: int) -> None:
    for (a, move), (b, other) in combinations(coded(seed), 2):
        same_pair = a.pair == b.pair and not a.differs and not b.differs
        if same_pair:
            assert move == other
            continue
        ratio = max(move.speed, other.speed) / min(move.speed, other.speed)
        assert move.angle_to(other) >= MIN_ANGLE - 1e-6 or ratio >= 1.8 or a.differs == b.differs == "speed"


@pytest.mark.parametrize("seed", range(30))
def test_parts_are_dealt_evenly_and_the_odd_title_stays_alone(seed: int) -> None:
    cues = deal(np.random.default_rng(seed), TITLES, ALONE)
    counts = np.bincount([c.title for c in cues], minlength=TITLES)
    assert counts.max() <= 9
    for flavour in ("frame", "motion"):
        pairs: dict[int, list[Cue]] = {}
        for cue in cues:
            if cue.flavour == flavour and not cue.differs:
                pairs.setdefault(cue.pair, []).append(cue)
        for tail, head in pairs.values():
            assert (tail.end, head.end) == ("tail", "head")
            assert tail.title == head.title or ALONE not in (tail.title, head.title)


@pytest.mark.parametrize("seed", range(30))
def test_decoys_lie_in_other_titles_than_what_they_resemble(seed: int) -> None:
    cues = deal(np.random.default_rng(seed), TITLES, ALONE)
    for decoy in (c for c in cues if c.differs):
        models = [c for c in cues if (c.flavour, c.pair) == (decoy.flavour, decoy.pair) and not c.differs]
        assert decoy.title not in {m.title for m in models}
        if decoy.differs in ("colours", "picture"):
            assert all(m.title < decoy.title for m in models if m.end == "tail")
