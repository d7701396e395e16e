"""Loudness has the answers of EBU Tech 3341 and 3342, and those of FFmpeg's own meter."""

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaml_assets.jasper.quality.loudness import LoudnessMeter

Sound = NDArray[np.float64]


def sine(level: float, seconds: float, hertz: float = 1000, rate: int = 48_000, phase: float = 0.0) -> Sound:
    """A sine whose peak is at `level` dB of full scale: float64 [1, n]."""
    at = np.arange(round(seconds * rate)) / rate
    return np.asarray(10 ** (level / 20) * np.sin(2 * np.pi * hertz * at + phase))[None]


def frames(sound: Sound, layout: str, rate: int, kind: str = "fltp") -> list[Any]:
    found = []
    for at in range(0, sound.shape[1], 1000):
        part = np.ascontiguousarray(sound[:, at : at + 1000].astype(np.float32))
        if kind == "s16":
            part = np.rint(part.T.reshape(1, -1) * 32_767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(part, format=kind, layout=layout)
        frame.sample_rate = rate
        found.append(frame)
    return found


def meter(sound: Sound, layout: str = "stereo", rate: int = 48_000, kind: str = "fltp") -> LoudnessMeter:
    if layout == "stereo" and len(sound) == 1:
        sound = np.repeat(sound, 2, axis=0)
    found = LoudnessMeter()
    for frame in frames(sound, layout, rate, kind):
        found.push(frame)
    found.finish()
    return found


def joined(*parts: tuple[float, float]) -> Sound:
    return np.concatenate([sine(level, seconds) for level, seconds in parts], axis=1)


@pytest.mark.parametrize(
    ("case", "sound", "layout", "expected"),
    [
        (1, sine(-23, 20), "stereo", -23),
        (2, sine(-33, 20), "stereo", -33),
        (3, joined((-36, 10), (-23, 60), (-36, 10)), "stereo", -23),
        (4, joined((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), "stereo", -23),
        (5, joined((-26, 20), (-20, 20.1), (-26, 20)), "stereo", -23),
        (6, np.concatenate([sine(level, 20) for level in (-28, -28, -24, -200, -30, -30)]), "5.1", -23),
    ],
)  # fmt: skip
def test_integrated_loudness_of_ebu_tech_3341(case: int, sound: Sound, layout: str, expected: float) -> None:
    assert meter(sound, layout).loudness == pytest.approx(expected, abs=0.1), case


@pytest.mark.parametrize(
    ("case", "sound", "expected"),
    [
        (1, joined((-20, 20), (-30, 20)), 10),
        (2, joined((-20, 20), (-15, 20)), 5),
        (3, joined((-40, 20), (-20, 20)), 20),
        (4, joined((-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)), 15),
    ],
)
def test_loudness_range_of_ebu_tech_3342(case: int, sound: Sound, expected: float) -> None:
    assert meter(sound).loudness_range == pytest.approx(expected, abs=1), case


def test_the_loudest_three_seconds() -> None:
    assert meter(joined((-40, 6), (-20, 4), (-40, 6))).loudest == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize(
    ("hertz", "phase", "level", "expected"),
    # between the samples: EBU Tech 3341 cases 15 to 18
    [(12_000, np.pi / 4, -6.02, -6.02), (8_000, np.pi / 3, -6.02, -6.02), (12_000, 0, -6.02, -6.02),
     (12_000, np.pi / 4, 3, 3), (6_000, np.pi / 8, 0, 0)],
)  # fmt: skip
def test_true_peak_lies_between_the_samples(hertz: float, phase: float, level: float, expected: float) -> None:
    sound = sine(level, 1, hertz, phase=phase)
    # a sine that begins at once overshoots
    sound[:, :4800] *= np.linspace(0, 1, 4800)
    found = meter(sound).true_peak
    assert expected - 0.4 <= found <= expected + 0.2


def test_a_true_peak_across_two_frames_is_found() -> None:
    sound = np.zeros((1, 24_000))
    sound[:, 4799:4801] = 0.5
    assert meter(sound).true_peak > 20 * np.log10(0.6)


@pytest.mark.parametrize("rate", [44_100, 48_000, 32_000, 96_000])
@pytest.mark.parametrize("kind", ["fltp", "s16"])
def test_any_rate_and_format(rate: int, kind: str) -> None:
    found = meter(sine(-23, 4, rate=rate), rate=rate, kind=kind)
    assert found.loudness == pytest.approx(-23, abs=0.1)
    assert found.true_peak == pytest.approx(-23, abs=0.1)


def test_it_agrees_with_ffmpegs_own_meter() -> None:
    random = np.random.default_rng(3)
    envelope = np.repeat(random.uniform(0.002, 0.25, 40), 24_000)
    sound = np.clip(random.standard_normal((2, len(envelope))) * envelope, -1, 1)
    found = meter(sound)
    graph = av.filter.Graph()
    source = graph.add("abuffer", sample_rate="48000", sample_fmt="fltp", channel_layout="stereo", time_base="1/48000")
    graph.link_nodes(source, graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")).configure()
    said: dict[str, str] = {}
    for frame in [*frames(sound, "stereo", 48_000), None]:
        graph.push(frame)
        while True:
            try:
                said.update(graph.pull().metadata)
            except (av.BlockingIOError, EOFError):
                break
    assert found.loudness == pytest.approx(float(said["lavfi.r128.I"]), abs=0.1)
    assert found.loudness_range == pytest.approx(float(said["lavfi.r128.LRA"]), abs=0.2)
    assert found.true_peak == pytest.approx(20 * np.log10(float(said["lavfi.r128.true_peak"])), abs=0.3)


def test_sound_whose_shape_changes_is_measured_through() -> None:
    found = LoudnessMeter()
    for frame in [
        *frames(sine(-20, 6), "mono", 48_000),
        *frames(np.repeat(sine(-20, 6, rate=44_100), 2, 0), "stereo", 44_100),
    ]:
        found.push(frame)
    found.finish()
    # half at -23.01, a mono sine, and half at -20, the same in two channels
    assert found.loudness == pytest.approx(10 * np.log10((10**-2.301 + 10**-2) / 2), abs=0.1)


def test_clipping_is_counted_on_what_was_delivered() -> None:
    clipped = np.clip(sine(6, 4), -1, 1)
    share = np.mean(np.abs(clipped) >= 0.9995)
    assert meter(clipped).clipping_share == pytest.approx(share, rel=0.01)
    assert share > 0.5
    assert meter(sine(-1, 4)).clipping_share == 0
    assert meter(clipped, kind="s16").clipping_share == pytest.approx(share, rel=0.01)


def test_silence_and_no_sound_at_all() -> None:
    for found in (meter(np.zeros((2, 96_000))), LoudnessMeter()):
        found.finish()
        assert (found.loudness, found.loudness_range, found.loudest, found.true_peak) == (-70, 0, -70, -120)
        assert found.clipping_share == 0
