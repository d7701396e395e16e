import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaml_assets.features.detectors.boundary import Boundary
from mediaml_assets.features.detectors.shot_boundaries import APART, apart
from mediaml_assets_tests.features.conftest import Picture, panned, texture
from mediaml_assets_tests.features.detectors.films import BLACK, WHITE, dissolve, found, mix, ramp, wipe

A, B, C = texture(1), texture(2), texture(3)


def dark(pictures: list[Picture], gain: float) -> list[Picture]:
    return [np.asarray(16 + (picture.astype(float) - 16) * gain, np.uint8) for picture in pictures]


def test_a_cut_is_the_first_frame_of_the_new_shot() -> None:
    (cut,) = found([A] * 20 + [B] * 20)
    assert (cut.kind, cut.at, cut.start, cut.end) == ("cut", 20, 20, 20)


def test_a_cut_between_two_pans_is_found_and_the_pans_are_not() -> None:
    assert [b.at for b in found(panned(1, 30, 9) + panned(2, 30, -9))] == [30]


def test_a_cut_in_low_light_is_found() -> None:
    assert [b.at for b in found(dark([A] * 20 + [B] * 20, 0.25))] == [20]


def test_a_flash_is_no_boundary() -> None:
    still = [A] * 20
    assert found(still + [mix(A, WHITE, 0.8)] * 2 + still) == []
    assert found(still + [WHITE] * 2 + still) == []


def test_a_light_ramp_is_no_dissolve() -> None:
    dim = np.asarray(A * 0.5, np.uint8)
    assert found([A] * 20 + ramp(A, dim, 12) + [dim] * 20) == []


@pytest.mark.parametrize("length", [7, 11, 23])
def test_a_dissolve_is_found_in_its_middle_with_its_extent(length: int) -> None:
    (one,) = found([A] * 40 + ramp(A, B, length) + [B] * 40)
    assert one.kind == "dissolve"
    assert abs(one.at - (40 + length / 2)) <= 2
    assert abs(one.start - 40) <= 3
    assert abs(one.end - (40 + length)) <= 3


def test_a_dissolve_of_two_pans_is_found() -> None:
    a, b = panned(1, 50, 7, grain=60), panned(2, 50, -7, grain=60)
    (one,) = found(a[:40] + dissolve(a[40:], b[:10]) + b[10:])
    assert one.kind == "dissolve" and abs(one.at - 45) <= 3


@pytest.mark.parametrize("turned", [False, True])
def test_a_wipe_is_found_in_its_middle(turned: bool) -> None:
    pictures = [A] * 30 + wipe(A, B, 11) + [B] * 30
    if turned:
        pictures = [np.ascontiguousarray(picture[::-1, ::-1]) for picture in pictures]
    (one,) = found(pictures)
    assert one.kind == "wipe"
    assert abs(one.at - 35) <= 2
    assert abs(one.start - 30) <= 3 and abs(one.end - 41) <= 3


def test_held_frames_of_a_converted_rate_make_no_cut_and_hide_none() -> None:
    pan, other = panned(1, 24, 12, grain=60), panned(2, 24, 12, grain=60)
    held = [pan[i - i % 3 if i % 3 < 2 else i] for i in range(24)]
    assert found(held) == []
    assert [b.at for b in found(held + other)] == [24]


@given(st.lists(st.integers(6, 30), min_size=1, max_size=5), st.integers(0, 3))
@settings(max_examples=10, deadline=None)
def test_time_reversed_mirrors_cuts(lengths: list[int], seed: int) -> None:
    film = [picture for n, long in enumerate(lengths) for picture in [texture(10 * seed + n)] * long]
    there, back = found(film), found(film[::-1])
    assert [b.at for b in there] == np.cumsum(lengths)[:-1].tolist()
    assert sorted(len(film) - b.at for b in back) == [b.at for b in there]


@given(st.lists(st.sampled_from(["cut", "dissolve", "fade", "wipe"]), min_size=1, max_size=4), st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_boundaries_are_sorted_and_their_ranges_lie_in_the_film(kinds: list[str], seed: int) -> None:
    film = [texture(seed)] * 20
    for n, kind in enumerate(kinds):
        a, b = film[-1], texture(seed + n + 1)
        film += {
            "cut": [],
            "dissolve": ramp(a, b, 9),
            "fade": ramp(a, BLACK, 8) + [BLACK] * 2 + ramp(BLACK, b, 8),
            "wipe": wipe(a, b, 9),
        }[kind] + [b] * 20
    all_found = found(film)
    assert len(all_found) == len(kinds)
    assert [b.kind for b in all_found] == kinds
    ats = [b.at for b in all_found]
    assert ats == sorted(ats) and len(set(ats)) == len(ats)
    for one in all_found:
        assert 0 <= one.start <= one.at <= one.end <= len(film) and 0 < one.at < len(film)
        assert 0 <= one.confidence <= 1


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_film_of_a_few_frames_that_differ_has_no_boundary(count: int) -> None:
    assert found([texture(seed) for seed in range(count)]) == []


TRANSITIONS = st.builds(
    lambda start, before, after, sure: Boundary("wipe", start + before, start, start + before + after, sure),
    st.integers(1, 60), st.integers(0, 6), st.integers(0, 6), st.floats(0, 1),
)  # fmt: skip


@given(st.lists(st.lists(TRANSITIONS, max_size=8), min_size=1, max_size=3))
def test_of_transitions_that_overlap_the_earlier_kind_and_the_surer_one_stay(groups: list[list[Boundary]]) -> None:
    kept = list(groups[0])
    for group in groups[1:]:
        for one in sorted(group, key=lambda boundary: -boundary.confidence):
            if all(max(one.start, o.start) > min(one.end, o.end) + APART for o in kept):
                kept.append(one)
    assert apart(groups[0], groups[1:]) == kept


def test_thousands_of_transitions_are_told_apart_at_once() -> None:
    cuts = [Boundary("cut", at, at, at, 1.0) for at in range(60, 240_000, 60)]
    wipes = [Boundary("wipe", at, at - 5, at + 5, 0.5) for at in range(90, 240_000, 60)]
    before = time.process_time()
    assert len(apart([], [cuts, wipes, wipes])) == len(cuts) + len(wipes)
    assert time.process_time() - before < 3
