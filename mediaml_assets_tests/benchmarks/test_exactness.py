"""The benchmark of exactness finds nothing wrong with what is right, and notices what is one picture off."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.media import exactness
from benchmarks.media.exactness import real, rendered
from benchmarks.media.hard_films import hard_films
from mediaml_assets.jasper.frame_map import FrameMap, SourcePicture
from mediaml_assets_tests.jasper.clips import Clip, render, steady


def test_a_rendered_film_is_right_and_its_numbers_matter(tmp_path: Path) -> None:
    film = next(hard_films(3, tmp_path))
    assert rendered(film, tmp_path).wrong == 0
    shifted = rendered(replace(film, numbers=tuple(number + 1 for number in film.numbers)), tmp_path)
    assert shifted.wrong == shifted.frames == len(film.times)


def test_the_films_are_the_seeds(tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    one, other = next(hard_films(5, tmp_path)), next(hard_films(5, again))
    assert (one.times, one.numbers, one.path.read_bytes()) == (other.times, other.numbers, other.path.read_bytes())
    assert next(hard_films(6, again)).numbers != one.numbers


def test_a_map_that_is_one_picture_off_is_noticed_by_the_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = render(tmp_path / "film.mkv", Clip(steady(25, 60), first_number=0b0101_1010_0101))
    assert (real(path, tmp_path).wrong, real(path, tmp_path).frames) == (0, 60)

    def off(self: FrameMap, index: int) -> SourcePicture:
        return replace(self.picture(min(index + 1, self.picture_count - 1)), time=Fraction(index, 25))

    monkeypatch.setattr(FrameMap, "at", off)
    looked = exactness._nearest
    seen: list[int] = []
    monkeypatch.setattr(exactness, "_nearest", lambda *args: seen.append(looked(*args) - args[2]) or looked(*args))
    real(path, tmp_path)
    assert sum(step == -1 for step in seen) > 50
