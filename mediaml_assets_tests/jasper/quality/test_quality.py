"""Numbers become a verdict with reasons; black and frozen stretches are counted on the tape."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaml_assets.jasper.frame_tape import FRAME_BYTES, FrameTape
from mediaml_assets.jasper.quality import verdict
from mediaml_assets.jasper.quality.verdict import Measured, judge, picture_shares

GOOD = Measured(
    decodable_share=1.0, duration_drift=0.0, seconds=100.0, black_share=0.05, frozen_share=0.05, has_sound=True,
    silence_share=0.1, clipping_share=0.0, loudness=-23.0, sound_offset=0.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict", "word"),
    [
        ({}, "ok", ""),
        ({"decodable_share": 0.94}, "quarantine", "decoded"),
        ({"decodable_share": 0.99}, "warn", "damaged"),
        ({"duration_drift": -20.0, "seconds": 80.0}, "quarantine", "cut short"),
        ({"duration_drift": -4.0, "seconds": 96.0}, "warn", "-4.0 s"),
        ({"duration_drift": 30.0, "seconds": 130.0}, "warn", "+30.0 s"),
        ({"duration_drift": -0.5, "seconds": 1.0}, "ok", ""),
        ({"black_share": 0.99}, "quarantine", "black"),
        ({"black_share": 0.6}, "warn", "black"),
        ({"frozen_share": 0.99}, "quarantine", "still"),
        ({"frozen_share": 0.6}, "warn", "still"),
        ({"silence_share": 0.95}, "warn", "silence"),
        ({"clipping_share": 0.02}, "warn", "clipped"),
        ({"loudness": -50.0}, "warn", "loudness"),
        ({"loudness": -2.0}, "warn", "loudness"),
        ({"sound_offset": 1.5}, "warn", "starts"),
        ({"sound_offset": 1.5, "has_sound": False}, "ok", ""),
        ({"notes": ("a note",)}, "warn", "a note"),
    ],
)
def test_verdicts(change: dict[str, object], verdict: str, word: str) -> None:
    found = judge(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]
    assert found.verdict == verdict
    assert word in " ".join(found.reasons)
    assert bool(found.reasons) == (verdict != "ok")


def tape_of(luma: np.ndarray) -> FrameTape:  # type: ignore[type-arg]
    rows = np.full((len(luma), FRAME_BYTES), 128, np.uint8)
    rows[:, : 36 * 64] = luma.reshape(len(luma), 36 * 64)
    return FrameTape.of(rows)


def film(frames: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(0).integers(40, 200, (frames, 36, 64)).astype(np.uint8)


def test_black_and_frozen_stretches_are_counted() -> None:
    luma = film(200)
    luma[20:60] = 17
    luma[100:160] = luma[100]
    luma[170:175] = luma[170]
    black, frozen = picture_shares(tape_of(luma), Fraction(25))
    assert black == 40 / 200
    assert frozen == 60 / 200


@given(st.integers(1, 40), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_pieces_do_not_matter(chunk: int, moving: int, still: int, black: int) -> None:
    luma = np.concatenate([film(moving), np.repeat(film(1), still, axis=0), np.full((black, 36, 64), 16, np.uint8)])
    whole = picture_shares(tape_of(luma), Fraction(5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdict, "_CHUNK", chunk)
        assert picture_shares(tape_of(luma), Fraction(5)) == whole
    count = max(1, len(luma))
    longest = [run for run in (still, black) if run >= 11]
    assert whole[0] == black / count
    assert whole[1] >= sum(longest) / count
