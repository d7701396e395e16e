import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.features.shots import SHOTS, Shot, Shots, ShotsConfig, shots, usable_range
from mediaml_assets_tests.features.conftest import ArrayMedia, texture

TAPE = ShotsConfig()


def test_every_frame_belongs_to_exactly_one_shot(cut_film: ArrayMedia) -> None:
    table = shots(cut_film, TAPE)
    assert table.schema.equals(SHOTS)
    assert table.column("start").to_pylist() == [0, 30]
    assert table.column("end").to_pylist() == [30, 60]
    assert table.column("transition").to_pylist() == ["start", "cut"]
    assert Shots.from_table(table).as_dict() == {0: (0, 30), 1: (30, 60)}


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_short_film_is_one_shot(count: int) -> None:
    assert Shots.from_table(shots(ArrayMedia([texture(1)] * count), TAPE)).as_dict() == {0: (0, count)}


def test_a_film_opening_on_short_black_has_usable_frames() -> None:
    black = [np.full((360, 640), 16, np.uint8)] * 4
    (shot,) = Shots.from_table(shots(ArrayMedia([*black, *[texture(1)] * 20]), TAPE))
    assert shot == Shot(0, 0, 24, 4, 24)


def test_black_that_stands_is_a_shot_and_a_fades_frames_are_usable_to_neither() -> None:
    black = np.full((360, 640), 16, np.uint8)
    rising = [np.asarray(16 + (texture(1) - 16.0) * k / 9, np.uint8) for k in range(1, 9)]
    table = shots(ArrayMedia([black] * 10 + rising + [texture(1)] * 20), TAPE)
    assert Shots.from_table(table)[1] == Shot(1, 10, 38, 18, 38)
    second = table.slice(1).to_pylist()[0]
    assert (second["transition"], second["transition_start"], second["transition_end"]) == ("fade", 10, 18)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 120), st.integers(0, 120))
def test_usable_frames_lie_in_the_shot_and_are_never_none(start: int, length: int, after: int, before: int) -> None:
    usable_start, usable_end = usable_range(start, start + length, after, before)
    assert start <= usable_start < usable_end <= start + length


def test_shots_is_a_sequence() -> None:
    rows = (Shot(0, 0, 9, 0, 9), Shot(2, 9, 20, 10, 20))
    sequence = Shots(rows)
    assert (len(sequence), sequence[1].index, sequence[:1], list(sequence)) == (2, 2, rows[:1], list(rows))
