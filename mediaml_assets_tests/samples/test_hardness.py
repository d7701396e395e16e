"""A fixed threshold on how much the picture changes must fail on the samples, even chosen with hindsight."""

import numpy as np
import numpy.typing as npt

from mediaml_assets.samples.plan import Catalogue, TitlePlan
from mediaml_assets.samples.scenes import Projector
from mediaml_assets.samples.screening import LUMA, reduced

Signal = npt.NDArray[np.float64]


def luma_change(title: TitlePlan) -> Signal:
    """Mean absolute difference of 64 x 36 luma between each frame and the one before."""
    show = Projector(title, 96, 2 * round(48 * title.geometry.aspect), grain=False)
    rows = np.stack([reduced(picture)[:LUMA] for picture in show.frames()])
    return np.concatenate([[0.0], np.abs(np.diff(rows, axis=0)).mean(axis=1)])


def hits(title: TitlePlan, signal: Signal, threshold: float) -> tuple[int, int, int]:
    """Hard cuts found, hard cuts there, and detections: the strongest frame of each run, gradual joins not counted."""
    above = np.flatnonzero(signal >= threshold)
    runs = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1) if len(above) else []
    peaks = [int(run[np.argmax(signal[run])]) for run in runs]
    gradual = [(j.start - 2, j.end + 2) for j in title.joins if j.kind != "cut"]
    peaks = [p for p in peaks if not any(a <= p < b for a, b in gradual)]
    cuts = [j.boundary for j in title.joins if j.kind == "cut"]
    return sum(any(abs(p - c) <= 1 for p in peaks) for c in cuts), len(cuts), len(peaks)


def test_no_fixed_threshold_finds_the_cuts(catalogue: Catalogue) -> None:
    titles = catalogue.titles[1:4]
    signals = [luma_change(title) for title in titles]
    best = 0.0
    for threshold in np.linspace(2, 70, 137):
        found, there, made = np.sum(
            [hits(t, s, float(threshold)) for t, s in zip(titles, signals, strict=True)], axis=0
        )
        best = max(best, 2 * found / (there + made))
    assert 0.5 < best < 0.9
