"""Whole films with one known fault each, standardised: numbers, stretches and verdict are what they must be."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaml_assets.errors import MediaRefused
from mediaml_assets.jasper.quality.measure import Found
from mediaml_assets.jasper.quality.thresholds import judge, verdict
from mediaml_assets.jasper.recipe import ML_360P
from mediaml_assets.jasper.standard.standardize import StandardEncode, standardize

from ..clips import picture
from ..remux import remux

RATE, SIZE = 25, (320, 180)
_RELIEF = np.random.default_rng(0).normal(size=(SIZE[1], SIZE[0] + 900))
RELIEF = np.clip(120 + 30 * cv2.GaussianBlur(_RELIEF, (0, 0), 5) * 8, 60, 190).astype(np.uint8)


def pan(frames: int, step: int = 3) -> list[NDArray[np.uint8]]:
    return [RELIEF[:, n * step % 900 : n * step % 900 + SIZE[0]].copy() for n in range(frames)]


def tone(level: float, seconds: float) -> NDArray[np.float64]:
    """A stereo sine of 1 kHz: float64 [2, n] at 48 kHz."""
    wave = 10 ** (level / 20) * np.sin(2 * np.pi * np.arange(round(seconds * 48_000)) / 48)
    return np.repeat(wave[None], 2, axis=0)


def film(path: Path, pictures: Iterable[NDArray[np.uint8]], sound: NDArray[np.float64] | None = None) -> Path:
    """An mkv with H.264 and, as it stands, 16 bit sound."""
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "10"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio: Any = None if sound is None else out.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for n, luma in enumerate(pictures):
            frame = picture(luma, "yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, RATE)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if sound is not None:
            samples = np.clip(np.rint(sound.T * 32_767), -32_768, 32_767).astype(np.int16)
            for at in range(0, len(samples), 4800):
                block = av.AudioFrame.from_ndarray(
                    samples[at : at + 4800].reshape(1, -1), format="s16", layout="stereo"
                )
                block.sample_rate, block.pts, block.time_base = 48_000, at, Fraction(1, 48_000)
                out.mux(audio.encode(block))
    return path


def made(tmp_path: Path, *args: Any) -> StandardEncode:
    return standardize(film(tmp_path / "film.mkv", *args), ML_360P, tmp_path)


def concerns(encode: StandardEncode) -> dict[str, str]:
    return {one.concern: one.verdict for one in judge(encode.row())}


def test_a_good_film_is_ok(tmp_path: Path) -> None:
    encode = made(tmp_path, pan(100), tone(-23, 4))
    assert judge(encode.row()) == []
    measured = encode.measured
    assert (measured.decodable_share, measured.duration_drift, measured.rate_drift) == (1, 0, 0)
    assert measured.loudness == pytest.approx(-23, abs=0.1) and measured.true_peak == pytest.approx(-23, abs=0.2)
    assert measured.stretches == () and measured.sound_end_offset == pytest.approx(0, abs=0.01)


def test_black_then_a_picture_that_stands_still(tmp_path: Path) -> None:
    black = [np.full(SIZE[::-1], 16, np.uint8)] * 50
    encode = made(tmp_path, [*pan(50), *black, *pan(25), *[RELIEF[:, :320].copy()] * 75])
    black_there, frozen = encode.measured.stretches
    assert black_there == Found("black", 2.0, 4.0)
    # the encoder takes a few frames to come to rest
    assert (frozen.concern, frozen.end) == ("frozen", 8.0) and 5.0 <= frozen.start <= 5.2
    assert encode.measured.longest_black == 2.0 and encode.measured.longest_frozen == pytest.approx(8 - frozen.start)
    assert encode.measured.black_share == 0.25
    assert encode.measured.frozen_share == pytest.approx((8 - frozen.start) / 8)
    assert judge(encode.row()) == []


@pytest.mark.parametrize("kind", ["black", "frozen"])
def test_a_film_of_nothing_is_quarantined(tmp_path: Path, kind: str) -> None:
    nothing = np.full(SIZE[::-1], 16, np.uint8) if kind == "black" else RELIEF[:, :320].copy()
    assert concerns(made(tmp_path, [nothing] * 75)) == {kind: "quarantine"}


@pytest.mark.parametrize(("hertz", "warned"), [(2, False), (5, True)])
def test_flashes(tmp_path: Path, hertz: int, warned: bool) -> None:
    bright = [(2 * hertz * n // RATE) % 2 for n in range(100)]
    encode = made(tmp_path, [np.full(SIZE[::-1], 200 if one else 50, np.uint8) for one in bright])
    assert encode.measured.flashes == pytest.approx(hertz, abs=0.5)
    assert concerns(encode) == ({"flash": "warn"} if warned else {})
    assert [one.concern for one in encode.measured.stretches] == (["flash"] if warned else [])


@pytest.mark.parametrize("step", [0, 6])
def test_interlaced_pictures_that_are_flagged_progressive(tmp_path: Path, step: int) -> None:
    moments = pan(200, step)
    woven = []
    for first, second in zip(moments[::2], moments[1::2], strict=True):
        first[1::2] = second[1::2]
        woven.append(first)
    encode = made(tmp_path, woven[:75])
    # what does not move is not combed, and does no harm
    assert encode.measured.combed_share == (1 if step else 0)
    assert ("interlace" in concerns(encode)) == bool(step)


def test_bars_that_change_in_the_middle(tmp_path: Path) -> None:
    def barred(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
        luma[:, :40], luma[:, -40:] = 16, 16
        return luma

    encode = made(tmp_path, [*pan(120), *map(barred, pan(120)), *pan(60)])
    assert encode.active == (0, 0, 640, 360)
    starts = [one.start for one in encode.active_ranges]
    assert starts == pytest.approx([0, 120, 240], abs=ML_360P.gop)
    assert [one.box[2:] for one in encode.active_ranges] == [(640, 360), (480, 360), (640, 360)]
    assert concerns(encode) == {"active_picture": "warn"}


def test_silence_clipping_and_a_level_beyond_use(tmp_path: Path) -> None:
    quiet = np.concatenate([tone(-23, 1), np.zeros((2, 3 * 48_000))], axis=1)
    encode = made(tmp_path, pan(100), quiet)
    assert encode.measured.silence_share == pytest.approx(0.75, abs=0.03)
    assert [(one.concern, one.start, one.end) for one in encode.measured.stretches] == [("silence", 1.0, 4.0)]
    assert concerns(encode) == {}
    assert concerns(made(tmp_path, pan(100), np.clip(tone(12, 4), -1, 1))) == {"clipping": "warn", "loudness": "warn"}
    assert concerns(made(tmp_path, pan(100), tone(-50, 4))) == {"loudness": "warn"}
    silent = made(tmp_path, pan(100), np.zeros((2, 4 * 48_000)))
    assert concerns(silent) == {"silence": "warn"} and silent.measured.loudness is None


def test_sound_that_ends_early(tmp_path: Path) -> None:
    encode = made(tmp_path, pan(100), tone(-23, 1.5))
    assert encode.measured.sound_end_offset == pytest.approx(-2.5, abs=0.01)
    assert concerns(encode) == {"sync": "warn"}


def test_a_rate_that_the_container_claims_wrongly(tmp_path: Path) -> None:
    def slower(packets: list[Any]) -> None:
        for packet in packets:
            packet.pts, packet.dts = packet.pts * 25 // 24, packet.dts * 25 // 24

    given = film(tmp_path / "film.mkv", pan(100))
    retimed = remux(given, tmp_path / "slower.mkv", slower)
    encode = standardize(retimed, ML_360P, tmp_path)
    assert encode.rate == 24 and encode.measured.rate_drift == pytest.approx(-0.04)
    assert concerns(encode) == {"duration": "warn"}


def real(shared: Path, folder: str) -> list[Path]:
    return sorted(p for p in (shared / "media" / folder).iterdir() if p.suffix in (".mp4", ".webm", ".mkv", ".ts"))


@pytest.mark.slow
def test_real_films_are_ok_or_rightly_warned(shared: Path, tmp_path: Path) -> None:
    expected = {"nasa_13013.mp4": {"frozen"}, "tears_of_steel_battle70s_800x332_vp8_vorbis.webm": {"flash"}}
    for path in real(shared, "films"):
        if path.stat().st_size < 20_000_000:
            found = judge(standardize(path, ML_360P, tmp_path).row())
            assert verdict(found) != "quarantine", path.name
            assert {one.concern for one in found} == expected.get(path.name, set()), (path.name, found)


NASTY = {
    "interlaced__e5ee8e": {"flash", "silence"},
    "huge-start__8c4177": {"frozen", "duration", "silence", "sync"},
    "filename__e55e67": {"sync"},
    "no-pts__7afea5": {"handled"},
    "hdr__608d6e": {"silence"},
    "truncated__a53c09": {"decodable", "duration", "handled"},
}
"""Real files, each with what is wrong with it."""


@pytest.mark.parametrize("start", NASTY)
def test_nasty_files_are_judged_by_what_is_wrong_with_them(shared: Path, tmp_path: Path, start: str) -> None:
    [path] = [p for p in (shared / "media" / "nasty").iterdir() if p.name.startswith(start)]
    try:
        found = judge(standardize(path, ML_360P, tmp_path).row())
    except MediaRefused as refused:
        pytest.fail(f"{path.name} is refused: {refused}")
    assert {one.concern for one in found} == NASTY[start], found
