"""Silence is found with its times, and the waveform shows the sound."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaml_assets.jasper.quality.levels import SoundLevels
from mediaml_assets.jasper.quality.stretches import Stretch


def levels(samples: NDArray[np.int16], step: int = 3000) -> SoundLevels:
    found = SoundLevels(16_000)
    for at in range(0, len(samples), step):
        found.push(samples[at : at + step])
    return found


def tone(seconds: float, height: int = 8000) -> NDArray[np.int16]:
    return (height * np.sin(np.arange(round(seconds * 16_000)) / 3)).astype(np.int16)[:, None]


def silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros((round(seconds * 16_000), 1), np.int16)


def test_silence_has_its_share_and_its_stretches() -> None:
    samples = np.concatenate([tone(1), silence(3), tone(2), silence(1), tone(1), silence(2)])
    for step in (1, 999, 4096, 10**6):
        found = levels(samples, max(step, 100))
        assert found.silence_share == 0.6
        assert found.silences() == [Stretch(10, 40), Stretch(80, 100)]


def test_a_noise_floor_below_60_db_is_silence_and_one_above_is_not() -> None:
    noise = np.random.default_rng(0).standard_normal((32_000, 1))
    assert levels(np.rint(noise * 20).astype(np.int16)).silence_share == 1
    assert levels(np.rint(noise * 60).astype(np.int16)).silence_share == 0


def test_one_loud_channel_is_no_silence() -> None:
    assert levels(np.concatenate([silence(2), tone(2)], axis=1)).silence_share == 0


def test_no_block_is_all_silence() -> None:
    assert levels(silence(0.05)).silence_share == 1.0


def test_the_waveform_is_as_high_as_the_sound(tmp_path: Path) -> None:
    picture = cv2.imread(str(levels(np.concatenate([tone(2, 16_384), silence(2)])).draw(tmp_path / "w.png")), 0)
    assert picture is not None and picture.shape == (96, 768)
    inked = (picture < 200).sum(axis=0)
    assert abs(int(np.median(inked[:380])) - 48) <= 2
    assert set(inked[390:]) == {1}
    assert (tmp_path / "w.png").stat().st_size < 10_000
