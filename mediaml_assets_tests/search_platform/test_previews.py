"""Previews show the very frames of the cut, at A's rate, with the sound that belongs to them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from mediaml_assets.search_platform.previews import head_frames, preview, tail_frames

from .conftest import NumberedMedia, make_cut, number_of


def shown(path: Path) -> list[int]:
    with av.open(str(path)) as file:
        return [number_of(frame.to_ndarray(format="gray")) for frame in file.decode(video=0)]


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        return np.concatenate([frame.to_ndarray().ravel() for frame in file.decode(audio=0)])


def pitch(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(np.argmax(spectrum) * 16_000 / samples.size)


def test_the_frames_are_those_of_the_cut(first: NumberedMedia, second: NumberedMedia, tmp_path: Path) -> None:
    cut = make_cut()
    preview(cut, first, second, tmp_path / "cut.mp4")
    numbers = shown(tmp_path / "cut.mp4")
    assert numbers[:36] == list(range(362, 398))
    assert numbers[36:] == [603 + int(k * 30 * Fraction(1_001, 24_000)) for k in range(36)]
    assert [path.name for path in tmp_path.iterdir()] == ["cut.mp4"]
    with av.open(str(tmp_path / "cut.mp4")) as file:
        stream = file.streams.video[0]
        assert (stream.average_rate, stream.width, stream.height) == (first.rate, 640, 360)
        assert stream.codec_context.name == "h264"
        keys = [i for i, frame in enumerate(file.decode(video=0)) if frame.key_frame]
        assert 36 in keys


def test_the_sound_changes_at_the_cut(first: NumberedMedia, second: NumberedMedia, tmp_path: Path) -> None:
    preview(make_cut(), first, second, tmp_path / "cut.mp4")
    samples = heard(tmp_path / "cut.mp4")
    cut = round(36 * 16_000 / first.rate)
    assert abs(samples.size - 2 * cut) <= 2_048
    assert abs(pitch(samples[2_000 : cut - 2_000]) - 500) < 5
    assert abs(pitch(samples[cut + 2_000 : 2 * cut - 2_000]) - 1_500) < 5


def test_a_title_without_sound_is_silent(first: NumberedMedia, second: NumberedMedia, tmp_path: Path) -> None:
    second.tone = None
    preview(make_cut(), first, second, tmp_path / "half.mp4")
    samples = heard(tmp_path / "half.mp4")
    cut = round(36 * 16_000 / first.rate)
    assert np.abs(samples[2_000 : cut - 2_000]).max() > 0.3
    assert np.abs(samples[cut + 3_000 :]).max() < 0.01
    first.tone = None
    preview(make_cut(), first, second, tmp_path / "silent.mp4")
    with av.open(str(tmp_path / "silent.mp4")) as file:
        assert not file.streams.audio


def test_short_shots_are_shown_whole(first: NumberedMedia, second: NumberedMedia) -> None:
    cut = make_cut(start1=390, end2=610)
    assert tail_frames(cut, first.rate) == list(range(390, 398))
    assert head_frames(cut, second.rate, second.rate) == list(range(603, 610))


def test_a_first_and_a_last_frame_are_enough(first: NumberedMedia, second: NumberedMedia, tmp_path: Path) -> None:
    cut = make_cut(start1=0, out_frame=0, end1=1, start2=899, in_frame=899, end2=900)
    preview(cut, first, second, tmp_path / "cut.mp4")
    assert shown(tmp_path / "cut.mp4") == [0, 899]


def test_the_same_cut_gives_the_same_file(first: NumberedMedia, second: NumberedMedia, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        preview(make_cut(), first, second, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
