"""How loud a title's sound is, on the channels that were delivered, while it is decoded.

K-weighting, channel weights and the 400 ms and 3 s windows are those of FFmpeg's ``ebur128`` filter; from them come
the integrated loudness (ITU-R BS.1770-4, EBU R 128), the loudness range (EBU Tech 3342) and the loudest 3 s. True peak
is the highest value of the sound four times oversampled (ITU-R BS.1770-4, annex 2).
"""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

ABSOLUTE_GATE = -70.0
"""LUFS below which nothing counts as loud."""
_RELATIVE_GATE, _RANGE_GATE = -10.0, -20.0
_CLIPPED = 0.9995
_REACH = 8
_NEAR = 0.7
"""True peaks are looked for beside samples of at least this share of the highest one so far."""


class LoudnessMeter:
    """Measures decoded sound frame by frame, whatever its format, rate and channels; `finish` before reading."""

    def __init__(self) -> None:
        self._graph: Any = None
        self._shape: tuple[object, ...] = ()
        self._momentary: list[float] = []
        self._short: list[float] = []
        self._tail: NDArray[np.float64] = np.zeros((0, 0))
        self._peak = 0.0
        self._given = 0
        self._clipped = self._samples = 0

    def push(self, frame: Any) -> None:
        """Take one decoded PyAV ``AudioFrame``; it is left as it is."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            self.finish()
            self._shape, self._graph = shape, _graph(*shape)
        self._graph.push(frame)
        self._given += frame.samples
        # it measures every tenth of a second, and says that it has nothing by an exception
        if 10 * self._given >= frame.sample_rate:
            self._given = 0
            self._pull()

    def finish(self) -> None:
        """Measure what is still held."""
        if self._graph is not None:
            self._graph.push(None)
            self._pull()
        self._graph, self._shape, self._tail = None, (), np.zeros((0, 0))

    @property
    def loudness(self) -> float:
        """Integrated loudness in LUFS; -70, the gate, when all is under it."""
        power = _power(self._momentary)
        power = power[power >= 10 ** (ABSOLUTE_GATE / 10)]
        if len(power):
            power = power[power >= power.mean() * 10 ** (_RELATIVE_GATE / 10)]
        return float(10 * np.log10(power.mean())) if len(power) else ABSOLUTE_GATE

    @property
    def loudness_range(self) -> float:
        """From the 10th to the 95th percentile of the 3 s loudness in LU, without what is far below the mean."""
        power = _power(self._short)
        power = power[power >= 10 ** (ABSOLUTE_GATE / 10)]
        if not len(power):
            return 0.0
        power = power[power >= power.mean() * 10 ** (_RANGE_GATE / 10)]
        low, high = np.percentile(10 * np.log10(power), [10, 95])
        return float(high - low)

    @property
    def loudest(self) -> float:
        """The loudest 3 s in LUFS; -70 when there are none above it."""
        return max([ABSOLUTE_GATE, *self._short])

    @property
    def true_peak(self) -> float:
        """Highest true peak of any channel in dBTP; -120 of digital silence."""
        return float(20 * np.log10(max(self._peak, 1e-6)))

    @property
    def clipping_share(self) -> float:
        """Share of samples, of all channels, at full scale or above."""
        return self._clipped / self._samples if self._samples else 0.0

    def _pull(self) -> None:
        while True:
            try:
                frame = self._graph.pull()
            except (av.BlockingIOError, EOFError):
                return
            # a last frame of less than a tenth of a second carries none
            if "lavfi.r128.M" in frame.metadata:
                self._momentary.append(float(frame.metadata["lavfi.r128.M"]))
                self._short.append(float(frame.metadata["lavfi.r128.S"]))
            self._look(frame.to_ndarray().reshape(-1, frame.layout.nb_channels))

    def _look(self, samples: NDArray[np.float64]) -> None:
        """Count clipped samples and look for peaks in float64 [n, channels]."""
        if not len(self._tail):
            self._tail = np.zeros((2 * _REACH, samples.shape[1]))
        joined = np.concatenate([self._tail, samples])
        self._tail = joined[-2 * _REACH :]
        height = np.abs(samples)
        highest = float(height.max(initial=0.0))
        self._samples += samples.size
        if highest >= _CLIPPED:
            self._clipped += int(np.count_nonzero(height >= _CLIPPED))
        if highest < _NEAR * self._peak:
            return
        self._peak = max(self._peak, highest)
        at, channel = np.nonzero(np.abs(joined[_REACH:-_REACH]) >= _NEAR * self._peak)
        around = joined[at[:, None] + np.arange(2 * _REACH + 1), channel[:, None]]
        self._peak = max(self._peak, float(np.abs(around @ _BETWEEN).max(initial=0.0)))


def _graph(sample_format: str, layout: str, rate: int) -> Any:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add(
        "abuffer", sample_rate=str(rate), sample_fmt=sample_format, channel_layout=layout, time_base=f"1/{rate}"
    )
    # the filter is told to work in packed doubles, which are read below
    chain = [graph.add("aformat", "sample_fmts=dbl"), graph.add("ebur128", "metadata=1")]
    graph.link_nodes(source, *chain, graph.add("abuffersink")).configure()
    return graph


def _power(levels: list[float]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = 10 ** (np.array(levels, np.float64) / 10)
    return powers


def _between() -> NDArray[np.float64]:
    """Weights [17, 6] of 17 samples for the values a quarter, half and three quarters before and after the middle one.

    A sinc under a Hann window.
    """
    away = np.array([-0.75, -0.5, -0.25, 0.25, 0.5, 0.75]) - np.arange(-_REACH, _REACH + 1)[:, None]
    weights = np.sinc(away) * np.cos(np.pi * away / (2 * _REACH + 2)) ** 2
    return np.asarray(weights / weights.sum(axis=0))


_BETWEEN = _between()
