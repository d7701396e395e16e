"""High dynamic range and wide gamut come out as light that can be worked out by hand, in numpy and through the film."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mediaml_assets.jasper.quality.thresholds import judge
from mediaml_assets.jasper.standard.tone_mapping import (
    PEAK,
    WHITE,
    compressed,
    hlg_to_nits,
    needs_mapping,
    nits_to_pq,
    pq_to_nits,
    to_bt709,
)

from ..clips import frame_of


def test_pq_and_hlg_are_those_of_the_standards() -> None:
    """ST 2084's known points, and BT.2408's table 1: 203 nits are 58 % PQ and 75 % HLG, 1,000 nits 75 % PQ."""
    assert nits_to_pq(np.array([0.0, 203, 1000, 10_000])) == pytest.approx([0, 0.5807, 0.7518, 1], abs=1e-4)
    levels = np.linspace(0, 1, 101)
    assert nits_to_pq(pq_to_nits(levels)) == pytest.approx(levels, abs=1e-6)
    assert hlg_to_nits(np.full((1, 3), 0.75)) == pytest.approx(np.full((1, 3), WHITE), rel=2e-3)
    assert hlg_to_nits(np.full((1, 3), 1.0)) == pytest.approx(np.full((1, 3), PEAK), rel=1e-5)


def test_dark_light_stays_and_bright_light_is_compressed() -> None:
    nits = np.linspace(0, PEAK, 5001)
    shown = compressed(nits)
    assert np.all(np.diff(shown) > -1e-9)
    assert shown[nits < 88] == pytest.approx(nits[nits < 88])
    assert np.all(shown <= nits + 1e-6)
    assert shown[-1] == pytest.approx(WHITE)
    assert float(compressed(np.array(4000.0))) == pytest.approx(WHITE)


@pytest.mark.parametrize(("nits", "code"), [(0, 16), (50, 138.1), (100, 178.6), (203, 213.8), (1000, 235), (4000, 235)])
def test_greys_of_pq_come_out_where_said(nits: float, code: float) -> None:
    grey = to_bt709(np.full(3, float(nits_to_pq(np.array(float(nits))))), "smpte2084", "bt2020")
    assert 16 + 219 * grey == pytest.approx(np.full(3, code), abs=0.1)
    assert np.ptp(grey) < 1e-3


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67", "bt709"])
@pytest.mark.parametrize("primaries", ["bt2020", "smpte432"])
def test_the_brightest_channels_stay_the_brightest(transfer: str, primaries: str) -> None:
    for bright in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 0, 1)):
        coded = np.where(np.array(bright) == 1, 0.5, 0.0 if transfer == "bt709" else 0.02)
        shown = to_bt709(coded, transfer, primaries)
        assert shown[np.array(bright) == 1].min() > shown[np.array(bright) == 0].max() + 0.2, bright


def test_a_colour_of_bt709_in_bt2020_comes_back() -> None:
    """BT.2087's matrix, the way there: what both gamuts hold is the same light afterwards."""
    to_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    for colour in np.random.default_rng(3).random((50, 3)):
        wide = (colour**2.4 @ to_2020.T) ** (1 / 2.4)
        assert to_bt709(wide, "bt709", "bt2020") == pytest.approx(colour, abs=6e-3)


def test_what_needs_mapping() -> None:
    assert needs_mapping("smpte2084", "unspecified")
    assert needs_mapping("bt709", "smpte432")
    assert not needs_mapping("bt709", "bt709")
    assert not needs_mapping("unspecified", "smpte170m")


def patches(path: Path, colours: np.ndarray, transfer: int, primaries: int, matrix: int) -> Path:
    """Columns of RGB colours, float [n, 3] in [0, 1], as lossless 10-bit limited-range YUV with these H.273 codes."""
    luma = {9: (0.2627, 0.0593), 1: (0.2126, 0.0722)}[matrix]
    red, green, blue = colours.T
    y = luma[0] * red + (1 - sum(luma)) * green + luma[1] * blue
    u, v = (blue - y) / (2 - 2 * luma[1]), (red - y) / (2 - 2 * luma[0])
    columns = np.stack([64 + 876 * y, 512 + 896 * u, 512 + 896 * v]).round().astype(np.uint16)
    width = 40
    planes = np.repeat(np.repeat(columns[:, None], 360, axis=1), width, axis=2)
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = width * len(colours), 360, "yuv444p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
        context.color_range = 1
        for n in range(5):
            frame = frame_of("yuv444p10le", *planes)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            frame.colorspace, frame.color_range = matrix, 1
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("transfer", "primaries", "codes"),
    [("smpte2084", "bt2020", (16, 9, 9)), ("arib-std-b67", "bt2020", (18, 9, 9)), ("bt709", "bt2020", (1, 9, 9)),
     ("bt709", "smpte432", (1, 12, 1))],
)  # fmt: skip
def test_a_film_comes_out_as_the_formula_says(
    tmp_path: Path, standard: Callable[..., Any], transfer: str, primaries: str, codes: tuple[int, int, int]
) -> None:
    greys = np.repeat(np.linspace(0.1, 0.75, 8)[:, None], 3, axis=1)
    tints = np.array([[0.6, 0.4, 0.4], [0.4, 0.6, 0.4], [0.4, 0.4, 0.6], [0.55, 0.5, 0.35], [0.6, 0.3, 0.3],
                      [0.3, 0.6, 0.3], [0.3, 0.35, 0.6], [0.5, 0.5, 0.4]])  # fmt: skip
    colours = np.concatenate([greys, tints])
    encode, media = standard(patches(tmp_path / "film.mkv", colours, *codes))
    assert judge(encode.row()) == []
    [frame] = media.video.frames([2])
    shown = frame.rgb()[180, 20::40].astype(float) / 255
    expected = to_bt709(colours, transfer, primaries)
    # a table has nodes: where a channel is about to be clipped at black it is less exact
    clear = expected > 0.15
    assert shown[clear] == pytest.approx(expected[clear], abs=4 / 255)
    assert shown[~clear] == pytest.approx(expected[~clear], abs=10 / 255)
