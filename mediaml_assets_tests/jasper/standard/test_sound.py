"""Sound stays on the picture's clock through gaps, overlaps and odd formats."""

from fractions import Fraction

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.standard.sound import SoundClock

from ..clips import onsets


def run(pieces: list[tuple[float, NDArray[np.float32]]], rate: int, layout: str, seconds: float) -> NDArray[np.int16]:
    blocks: list[NDArray[np.int16]] = []
    clock = SoundClock(16_000, "mono", Fraction(seconds).limit_denominator(1000), blocks.append)
    for start, samples in pieces:
        for at in range(0, len(samples), 1000):
            part = np.ascontiguousarray(samples[at : at + 1000].T)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate = rate
            clock.push(frame, Fraction(start).limit_denominator(10_000) + Fraction(at, rate))
    clock.finish()
    assert all(len(block) % 4096 == 0 for block in blocks[:-1]) and len(blocks[-1])
    return np.concatenate(blocks)[:, 0]


def click(seconds: float, at: float, rate: int, channels: int) -> NDArray[np.float32]:
    samples = np.zeros((round(seconds * rate), channels), np.float32)
    begin = round(at * rate)
    samples[begin : begin + rate // 20] = 0.5 * np.sin(np.arange(rate // 20) * 2 * np.pi * 1000 / rate)[:, None]
    return samples


@pytest.mark.parametrize(("rate", "layout", "channels"), [(44_100, "stereo", 2), (48_000, "5.1", 6), (8_000, "mono", 1),
                                                          (16_000, "mono", 1)])  # fmt: skip
def test_any_rate_and_layout(rate: int, layout: str, channels: int) -> None:
    sound = run([(0.0, click(2.0, 0.75, rate, channels))], rate, layout, 2.0)
    assert len(sound) == 32_000
    assert onsets(sound / 32768, 16_000) == pytest.approx([0.75], abs=0.002)


def test_a_gap_is_silence_and_an_overlap_is_cut() -> None:
    pieces = [(0.0, click(1.0, 0.5, 48_000, 1)), (2.0, click(1.0, 0.25, 48_000, 1)), (2.5, click(1.0, 0.75, 48_000, 1))]
    sound = run(pieces, 48_000, "mono", 4.0)
    assert onsets(sound / 32768, 16_000) == pytest.approx([0.5, 2.25, 3.25], abs=0.002)
    assert not sound[16_200:31_800].any()


def test_sound_before_and_after_the_picture_is_cut() -> None:
    sound = run([(-1.0, click(5.0, 1.5, 48_000, 1))], 48_000, "mono", 2.0)
    assert len(sound) == 32_000
    assert onsets(sound / 32768, 16_000) == pytest.approx([0.5], abs=0.002)


@pytest.mark.parametrize("blocks", [1, 2, 25])
def test_a_film_that_ends_with_a_whole_block_has_no_empty_one(blocks: int) -> None:
    seconds = blocks * 4096 / 16_000
    assert len(run([(0.0, click(seconds, 0.1, 48_000, 1))], 48_000, "mono", seconds)) == blocks * 4096


def test_jitter_of_time_stamps_is_no_gap() -> None:
    whole = click(2.0, 1.5, 48_000, 1)
    jitter = np.random.default_rng(0).uniform(-0.008, 0.008, 20)
    pieces = [(n / 10 + jitter[n], whole[n * 4800 : (n + 1) * 4800]) for n in range(20)]
    assert onsets(run(pieces, 48_000, "mono", 2.0) / 32768, 16_000) == pytest.approx([1.5], abs=0.02)


def test_a_slow_drift_is_followed() -> None:
    whole = click(30.0, 29.0, 48_000, 1)
    pieces = [(n * 1.01, whole[n * 48_000 : (n + 1) * 48_000]) for n in range(30)]
    assert onsets(run(pieces, 48_000, "mono", 31.0) / 32768, 16_000) == pytest.approx([29.29], abs=0.021)


@pytest.mark.parametrize("layout", ["5.1", "5.1(side)", "6 channels"])
@pytest.mark.parametrize(
    ("channel", "left", "right"),
    [(0, 1, 0), (1, 0, 1), (2, 0.7071, 0.7071), (3, 0, 0), (4, 0.7071, 0), (5, 0, 0.7071)],
    ids=["left", "right", "centre", "low", "left behind", "right behind"],
)
def test_five_channels_are_mixed_as_bs_775_has_it(layout: str, channel: int, left: float, right: float) -> None:
    heard: dict[str, list[NDArray[np.int16]]] = {"mono": [], "stereo": []}
    for mixed, blocks in heard.items():
        clock = SoundClock(48_000, mixed, Fraction(1), blocks.append)
        samples = np.zeros((6, 48_000), np.int16)
        samples[channel] = 10_000
        frame = av.AudioFrame.from_ndarray(samples.T.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = 48_000
        clock.push(frame, Fraction(0))
        clock.finish()
    scale = 10_000 / (1 + 2 * 0.7071)
    assert heard["stereo"][1][100] == pytest.approx([left * scale, right * scale], abs=2)
    assert heard["mono"][1][100] == pytest.approx([(left + right) * scale / 2], abs=2)


def test_channels_that_nobody_knows_are_refused() -> None:
    frame = av.AudioFrame(format="s16", layout="9 channels", samples=1000)
    frame.sample_rate = 48_000
    with pytest.raises(MediaRefused, match=r"9 channels at 48000 Hz.*deliver it as mono"):
        SoundClock(16_000, "mono", Fraction(1), lambda _: None).push(frame, Fraction(0))
